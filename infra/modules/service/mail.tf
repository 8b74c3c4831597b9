# Mail by SES, if var.mail says from whom: an identity whose mail is signed, the records that vouch for it, a configuration
# set for what becomes of it, and the right to send from this one address.

locals {
  mail        = var.mail == null ? 0 : 1
  sender      = try(regex("[^<> ]+@[^<> ]+", var.mail.from), "")
  mail_domain = split("@", "${local.sender}@")[1]
  # Below the sender's domain, so that SPF counts for DMARC.
  mail_from_domain = "bounce.${local.mail_domain}"

  # https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains
  own_dkim_domain = [
    "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2", "eu-south-1",
    "il-central-1", "me-central-1",
  ]
  region      = data.aws_region.current.name
  dkim_domain = contains(local.own_dkim_domain, local.region) ? "dkim.${local.region}.amazonses.com" : "dkim.amazonses.com"

  mail_records = var.mail == null ? {} : merge(
    { for index in range(3) : "dkim-${index}" => [
      "${local.dkim_tokens[index]}._domainkey.${local.mail_domain}", "CNAME", "${local.dkim_tokens[index]}.${local.dkim_domain}"
    ] },
    {
      mx  = [local.mail_from_domain, "MX", "10 feedback-smtp.${local.region}.amazonses.com"]
      spf = [local.mail_from_domain, "TXT", "v=spf1 include:amazonses.com ~all"]
    },
    var.mail.dmarc == "off" ? {} : { dmarc = ["_dmarc.${local.mail_domain}", "TXT", "v=DMARC1; p=${var.mail.dmarc}"] },
  )
  dkim_tokens     = flatten(aws_sesv2_email_identity.this[*].dkim_signing_attributes[0].tokens)
  mail_is_in_zone = endswith(".${local.mail_domain}", ".${join("", data.aws_route53_zone.this[*].name)}")
}

data "aws_route53_zone" "this" {
  count   = local.mail
  zone_id = var.zone_id
}

resource "aws_route53_record" "mail" {
  for_each = { for key, record in local.mail_records : key => record if local.mail_is_in_zone }

  zone_id = var.zone_id
  name    = each.value[0]
  type    = each.value[1]
  records = [each.value[2]]
  ttl     = 300
  # In another region, bounces move there. A DMARC record may be somebody else's.
  allow_overwrite = each.key != "dmarc"
}

resource "aws_sesv2_email_identity" "this" {
  count          = local.mail
  email_identity = local.mail_domain

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

resource "aws_sesv2_email_identity_mail_from_attributes" "this" {
  count            = local.mail
  email_identity   = aws_sesv2_email_identity.this[0].email_identity
  mail_from_domain = local.mail_from_domain
}

resource "aws_sesv2_configuration_set" "this" {
  count                  = local.mail
  configuration_set_name = var.name

  # A link for a new password is not sent in the clear.
  delivery_options {
    tls_policy = "REQUIRE"
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  # Not those who complained: the service sends them nothing but what they ask for, and they must get a new password.
  suppression_options {
    suppressed_reasons = ["BOUNCE"]
  }
}

resource "aws_sesv2_configuration_set_event_destination" "this" {
  count                  = local.mail
  configuration_set_name = aws_sesv2_configuration_set.this[0].configuration_set_name
  event_destination_name = "bounces-and-complaints"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT"]

    # The only bus that SES writes to.
    event_bridge_destination {
      event_bus_arn = "arn:aws:events:${local.region}:${data.aws_caller_identity.current.account_id}:event-bus/default"
    }
  }
}

resource "aws_iam_role_policy" "mail" {
  count = local.mail
  name  = "send-mail"
  role  = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # A mail that the service has put together itself is SendRawEmail to IAM, though the call is SendEmail.
      Action    = ["ses:SendEmail", "ses:SendRawEmail"]
      Resource  = [aws_sesv2_email_identity.this[0].arn, aws_sesv2_configuration_set.this[0].arn]
      Condition = { StringEquals = { "ses:FromAddress" = local.sender } }
    }]
  })
}
