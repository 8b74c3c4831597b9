# The whole of infra/production, applied to a provider that makes every answer up. What comes out is held against
# rules.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias = "us_east_1"

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/mock"
      domain_validation_options = [{
        domain_name           = "media.example.com"
        resource_record_name  = "_mock.media.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_mock.acm-validations.aws."
      }]
    }
  }

  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/mock" }
  }
}

variables {
  domain_name = "blog.example.com"
  zone_id     = "Z0123456789ABCDEFGHIJ"
  alarm_email = "operators@example.com"
  mail        = { from = "My blog <blog@example.com>" }

  media        = true
  media_domain = "media.example.com"
  environment  = { CORS_ALLOWED_ORIGINS = "https://blog.example.com, https://www.example.com" }
}

override_resource {
  target = module.service.aws_iam_role.execution
  values = { arn = "arn:aws:iam::123456789012:role/blog-api-execution" }
}

override_resource {
  target = module.service.aws_iam_role.task
  values = { arn = "arn:aws:iam::123456789012:role/blog-api-task" }
}

override_resource {
  target = module.service.aws_iam_role.migrate
  values = { arn = "arn:aws:iam::123456789012:role/blog-api-migrate" }
}

override_resource {
  target = module.service.aws_iam_role.admin
  values = { arn = "arn:aws:iam::123456789012:role/blog-api-admin" }
}

override_resource {
  target = module.service.aws_iam_role.mail_events
  values = { arn = "arn:aws:iam::123456789012:role/blog-api-mail-events" }
}

override_resource {
  target = module.service.aws_cloudwatch_event_rule.mail_events
  values = { arn = "arn:aws:events:ap-northeast-2:123456789012:rule/blog-api-mail-events" }
}

override_resource {
  target = module.media[0].aws_s3_bucket.this
  values = {
    id                          = "blog-api-media-123456789012"
    arn                         = "arn:aws:s3:::blog-api-media-123456789012"
    bucket_regional_domain_name = "blog-api-media-123456789012.s3.ap-northeast-2.amazonaws.com"
  }
}

# What is known before, which nothing has made up.
run "planned" {
  command = plan
}

# What other choices change of it.
run "learning" {
  command = plan

  variables {
    profile = "learning"
  }
}

run "small" {
  command = plan

  variables {
    profile = "small"
  }
}

run "spot_on_arm" {
  command = plan

  variables {
    architecture = "ARM64"
    spot_percent = 70
  }
}

run "no_mail" {
  command = plan

  variables {
    mail = null
  }
}

run "no_media" {
  command = plan

  variables {
    media = false
  }
}

run "media_by_a_name_of_cloudfront" {
  command = plan

  variables {
    media_domain = null
  }
}

run "defaults" {
  command = apply
}
