"""Whether SES sends what the service mails."""

from table import Cause, logged, rule


@rule("mail-refused", "the sender's identity in SES, and whether SES sends for this account")
def mail_refused(facts):
    # Facts that were saved before know nothing of mail.
    mail = facts.get("mail")
    if not mail:
        return
    evidence = [f"MAIL_FROM is {mail['sender']}", *logged(facts, "SES|mail")]
    if mail["found"] is False:
        yield Cause(
            f"SES has no identity for the sender {mail['sender']}, and refuses every mail.",
            f"aws sesv2 create-email-identity --email-identity {mail['identity']}    # and its records: docs/deploy.md",
            evidence,
        )
    elif mail["verified"] is False:
        yield Cause(
            f"The identity {mail['identity']} is not verified, so SES refuses every mail: it has not found its records.",
            f"aws sesv2 get-email-identity --email-identity {mail['identity']} --query DkimAttributes    # the records that must be there: docs/deploy.md",
            evidence,
        )
    if mail["sending"] is False:
        yield Cause(
            "SES sends nothing for this account: AWS or somebody has paused it.",
            "aws sesv2 get-account --query EnforcementStatus\naws sesv2 put-account-sending-attributes --sending-enabled    # unless AWS has paused it",
            ["SendingEnabled is false", *evidence],
        )
    elif mail["production"] is False:
        yield Cause(
            "SES is in its sandbox: it sends 200 mails a day, and only to addresses that are verified too.",
            "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url https://DOMAIN    # see docs/deploy.md",
            ["ProductionAccessEnabled is false", *evidence],
        )
