locals {
  # Rules over the body only count: posts are prose about anything, code and markup included, and up to 1 MiB long.
  # The service parses and sanitises them itself.
  managed_rules = {
    AWSManagedRulesCommonRuleSet = [
      "SizeRestrictions_BODY",
      "CrossSiteScripting_BODY",
      "EC2MetaDataSSRF_BODY",
      "GenericLFI_BODY",
      "GenericRFI_BODY",
    ]
    AWSManagedRulesKnownBadInputsRuleSet = [
      "JavaDeserializationRCE_BODY",
      "Log4JRCE_BODY",
      "ReactJSRCE_BODY",
    ]
  }
}

resource "aws_wafv2_web_acl" "this" {
  count = var.firewall ? 1 : 0

  # checkov:skip=CKV_AWS_192: AWSManagedRulesKnownBadInputsRuleSet is in managed_rules, where checkov does not find it
  name  = var.name
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  # What the service itself says when a client asks too often; only the content type is another, which a firewall may not
  # choose. What AWS's rules refuse gets AWS's plain 403: to answer otherwise, each of their rules would have to be named.
  custom_response_body {
    key          = "rate-limited"
    content_type = "APPLICATION_JSON"
    content = jsonencode({
      type   = "about:blank"
      title  = "Too Many Requests"
      status = 429
      code   = "rate_limited"
      detail = "Too many requests from this address: try again later."
      errors = []
    })
  }

  dynamic "rule" {
    for_each = keys(local.managed_rules)
    iterator = set

    content {
      name     = set.value
      priority = set.key

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = set.value

          dynamic "rule_action_override" {
            for_each = local.managed_rules[set.value]
            iterator = counted

            content {
              name = counted.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = set.value
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  rule {
    name     = "rate"
    priority = 10

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "rate-limited"

          # How long until what was counted is forgotten, in seconds.
          response_header {
            name  = "retry-after"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        limit                 = var.requests_per_address
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.firewall ? 1 : 0

  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this[0].arn
}

resource "aws_cloudwatch_log_group" "firewall" {
  count = var.firewall ? 1 : 0

  # checkov:skip=CKV_AWS_338: refused requests are looked at within weeks
  # The firewall writes only to groups of this prefix.
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = var.firewall ? 1 : 0

  resource_arn            = aws_wafv2_web_acl.this[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall[0].arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  # The link that ends mails has its token there.
  redacted_fields {
    query_string {}
  }

  # What passes is in the load balancer's log.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}
