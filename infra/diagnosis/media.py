"""What keeps uploaded pictures and files, and what delivers them."""

import json
from urllib.parse import urlsplit

from edge import leading, leads
from facts import ENCRYPT, KEEP, LIST, bucket_of
from policies import admits, denies, like, serves, shuts_out
from startup import REGISTER, document
from table import Cause, logged, rule

CLOUDFRONT, READ = "cloudfront.amazonaws.com", "s3:GetObject"
# The hosted zone of all distributions.
ZONE = "Z2FDTNDATAQYW2"


def media(facts):
    """It, if there is any and its bucket is there."""
    # Facts that were saved before know nothing of media.
    return [one for one in [facts.get("media")] if one and one["found"]]


@rule("media-bucket", "whether the bucket of MEDIA_URL exists")
def media_bucket(facts):
    known = facts.get("media")
    if known and known["found"] is False:
        name, region = known["bucket"], known["expected"]
        where = "" if region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={region}"
        yield Cause(
            f"The bucket {name} that MEDIA_URL names does not exist: nothing can be uploaded, and what was is gone.",
            f"aws s3api create-bucket --bucket {name} --region {region}{where}\nand give it its policy (docs/deploy.md); or correct MEDIA_URL",
            [f"MEDIA_URL names {name}", *logged(facts, "NoSuchBucket")],
        )


@rule("media-region", "the region of the bucket against that of MEDIA_URL")
def media_region(facts):
    for known in media(facts):
        if known["region"] != known["expected"]:
            yield Cause(
                f"The bucket {known['bucket']} is in {known['region']}, but the service looks for it in {known['expected']}.",
                f"write ?region={known['region']} at the end of MEDIA_URL in the task definition, and register it:\n{REGISTER}",
                [f"{known['bucket']} is in {known['region']}", *logged(facts, "PermanentRedirect|AuthorizationHeaderMalformed")],
            )


@rule("media-denied", "whether the task role, the bucket and the endpoints of S3 let objects be written, read and deleted")
def media_denied(facts):
    role = facts["roles"]["task"]
    for known in media(facts) if role and role["found"] else []:
        bucket, objects = known["bucket"], known["objects"]
        wanted = (*KEEP, LIST)
        lacks = [action for action in wanted if known["may"].get(action) is False]
        if lacks:
            policy = document(wanted, Resource=[objects, bucket_of(objects)])
            yield Cause(
                f"The task role {role['name']} may not do with media what the service does.",
                f"aws iam put-role-policy --role-name {role['name']} --policy-name keep-media --policy-document {policy}",
                [f"{role['name']} lacks {', '.join(lacks)} on {objects}", *logged(facts, "AccessDenied|403 without a code")],
            )
        refused = [action for action in KEEP if known["policy"] and denies(known["policy"], action, role["arn"], objects)]
        if refused:
            yield Cause(
                f"The policy of the bucket {bucket} itself refuses the task role {role['name']}.",
                f"aws s3api get-bucket-policy --bucket {bucket}    # take the Deny out, or name the role in it:\n"
                f"aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json",
                [f"{', '.join(refused)}: {known['policy']['Statement']}", *logged(facts, "AccessDenied")],
            )
        for endpoint, policy in endpoints(facts):
            stopped = [action for action in KEEP if not admits(policy, action, role["arn"], objects)]
            if stopped:
                yield Cause(
                    f"The policy of the endpoint {endpoint} lets no such request for the bucket {bucket} through.",
                    f"aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --reset-policy    # or allow it beside the image layers",
                    [f"{', '.join(stopped)}: {policy['Statement']}", *logged(facts, "AccessDenied")],
                )


def endpoints(facts):
    """Those of S3 that the tasks' requests take, and their policies."""
    tables = {subnet["Table"]["RouteTableId"] for subnet in facts["subnets"] if subnet["Table"]}
    for endpoint in facts["endpoints"]:
        taken = endpoint.get("VpcEndpointType") != "Gateway" or not tables.isdisjoint(endpoint.get("RouteTableIds", []))
        if endpoint["ServiceName"].endswith(".s3") and taken and endpoint.get("PolicyDocument"):
            yield endpoint["VpcEndpointId"], json.loads(endpoint["PolicyDocument"])


@rule("media-key", "the state of the bucket's key, and whether the task role may use it")
def media_key(facts):
    role = facts["roles"]["task"]
    for known in media(facts):
        key, lacks = known["key"], [action for action in ENCRYPT if known["may"].get(action) is False]
        evidence = [f"{known['bucket']} is encrypted with {key and key['id']}", *logged(facts, "KMS")]
        if key and key["state"] not in (None, "Enabled"):
            mend = f"aws kms enable-key --key-id {key['id']}"
            if key["state"] == "PendingDeletion":
                mend = f"aws kms cancel-key-deletion --key-id {key['id']}\n{mend}"
            yield Cause(f"The key of the bucket {known['bucket']} cannot be used: it is {key['state']}.", mend, evidence)
        elif key and lacks:
            yield Cause(
                f"The task role {role['name']} may keep media in the bucket {known['bucket']}, but not use its key.",
                f"aws iam put-role-policy --role-name {role['name']} --policy-name encrypt-media "
                f"--policy-document {document(ENCRYPT, Resource=key['arn'])}",
                [f"{role['name']} lacks {', '.join(lacks)}", *evidence],
            )


def names(distribution):
    """Under which it answers; its own domains first."""
    return [*((distribution["Aliases"] or {}).get("Items") or []), distribution["DomainName"]]


def answering(known):
    """The distributions that answer for MEDIA_PUBLIC_URL: one, or none."""
    host = urlsplit(known["public_url"]).hostname or ""
    return [d for d in known["distributions"] or [] if any(like(host, name) for name in names(d))][:1]


def origins(known, distribution):
    """Where it finds the bucket, and below which path."""
    places = tuple(f"{known['bucket']}.s3{mark}" for mark in ".-")
    return [origin for origin in distribution["Origins"]["Items"] if origin["DomainName"].startswith(places)]


def readers(known):
    """The distributions that read the bucket."""
    return [d for d in known["distributions"] or [] if origins(known, d)]


def fitting(known, distribution):
    """The origins by which MEDIA_PUBLIC_URL leads to what MEDIA_URL names."""
    path = urlsplit(known["public_url"]).path.rstrip("/")
    return [origin for origin in origins(known, distribution) if origin.get("OriginPath", "") + path == known["path"]]


@rule("media-distribution", "whether a distribution delivers media, and is on")
def media_distribution(facts):
    for known in media(facts):
        if known["distributions"] is not None and not answering(known) + readers(known):
            yield Cause(
                f"No distribution of this account reads the bucket {known['bucket']}: nothing that was uploaded can be fetched.",
                "terraform -chdir=infra/production apply    # or make one by hand (docs/deploy.md), and set MEDIA_PUBLIC_URL to its name",
                [f"MEDIA_PUBLIC_URL is {known['public_url']}; distributions: {', '.join(d['Id'] for d in known['distributions']) or 'none'}"],
            )
        for distribution in answering(known):
            if not distribution["Enabled"]:
                config = f"aws cloudfront get-distribution-config --id {distribution['Id']}"
                yield Cause(
                    f"The distribution {distribution['Id']} is disabled: nothing that was uploaded can be fetched.",
                    f"aws cloudfront update-distribution --id {distribution['Id']} --if-match \"$({config} --query ETag --output text)\" "
                    f"--distribution-config \"$({config} --query DistributionConfig --output json | jq '.Enabled = true')\"",
                    [f"{distribution['Id']} answers for {', '.join(names(distribution))}"],
                )


@rule("media-url", "whether MEDIA_PUBLIC_URL leads to what MEDIA_URL names")
def media_url(facts):
    for known in media(facts):
        said, kept, found = known["public_url"], known["bucket"] + known["path"], answering(known)
        if not found and readers(known):
            other = readers(known)[0]
            yield Cause(
                f"MEDIA_PUBLIC_URL is {said}, for which no distribution answers.",
                f"set MEDIA_PUBLIC_URL to https://{names(other)[0]} in the task definition, and register it:\n{REGISTER}",
                [f"{other['Id']} reads {known['bucket']} and answers for {', '.join(names(other))}"],
            )
        for distribution in found:
            record, ours = known["record"], distribution["DomainName"].lower()
            if record["targets"] is not None and not leads(record["targets"], ours):
                yield Cause(
                    f"The domain {record['name']} does not lead to the distribution {distribution['Id']}, which answers for it.",
                    leading(record, {"DNSName": ours, "HostedZoneId": ZONE, "EvaluateTargetHealth": False}),
                    [f"{record['name']} in {record['zone']}: {', '.join(record['targets']) or 'no record'}; the distribution is {ours}"],
                )
            if not fitting(known, distribution):
                read = [origin["DomainName"] + origin.get("OriginPath", "") for origin in distribution["Origins"]["Items"]]
                yield Cause(
                    f"MEDIA_PUBLIC_URL leads to the distribution {distribution['Id']}, which does not read {kept}, where the service keeps media.",
                    f"aws cloudfront get-distribution --id {distribution['Id']}    # then correct its origin, or MEDIA_URL and MEDIA_PUBLIC_URL",
                    [f"{distribution['Id']} answers for {said} and reads {', '.join(read)}"],
                )


@rule("media-origin", "whether the bucket lets the distribution read")
def media_origin(facts):
    for known in media(facts):
        for distribution in answering(known):
            for origin in fitting(known, distribution):
                yield from closed_to(known, distribution, origin)


def closed_to(known, distribution, origin):
    name, bucket, signed = distribution["Id"], known["bucket"], origin.get("OriginAccessControlId")
    # An access identity, which came before origin access control, is another principal.
    if not signed and not origin.get("S3OriginConfig", {}).get("OriginAccessIdentity"):
        yield Cause(
            f"The distribution {name} asks the bucket {bucket} as anybody, whom that does not let in: its origin has no access control.",
            f"aws cloudfront create-origin-access-control --origin-access-control-config Name={bucket},SigningProtocol=sigv4,SigningBehavior=always,"
            "OriginAccessControlOriginType=s3    # then its Id into the origin, with update-distribution",
            [f"{name}: {origin['DomainName']} has no OriginAccessControlId"],
        )
    elif signed and known["policy"] and shuts_out(known["policy"], READ, CLOUDFRONT, distribution["ARN"], known["objects"]):
        yield Cause(
            f"A Deny in the policy of the bucket {bucket} shuts the distribution {name} out: every request for media is answered 403.",
            f"aws s3api get-bucket-policy --bucket {bucket}    # take the Deny out, or except services in it: \"Bool\": {{\"aws:PrincipalIsAWSService\": \"false\"}}\n"
            f"aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json",
            [str(known["policy"]["Statement"])],
        )
    elif signed and known["policy"] is not None and not serves(known["policy"], READ, CLOUDFRONT, distribution["ARN"], known["objects"]):
        statement = {
            "Effect": "Allow", "Principal": {"Service": CLOUDFRONT}, "Action": READ, "Resource": known["objects"],
            "Condition": {"StringEquals": {"aws:SourceArn": distribution["ARN"]}},
        }  # fmt: skip
        policy = {"Version": "2012-10-17", "Statement": [*known["policy"].get("Statement", []), statement]}
        yield Cause(
            f"The policy of the bucket {bucket} does not let the distribution {name} read: every request for media is answered 403.",
            f"aws s3api put-bucket-policy --bucket {bucket} --policy '{json.dumps(policy, separators=(',', ':'))}'",
            [f"{known['policy'].get('Statement', 'no policy')}"],
        )
