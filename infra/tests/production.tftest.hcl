# The whole of infra/production, applied to a provider that makes every answer up. What comes out is held against
# rules.py.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  domain_name = "blog.example.com"
  zone_id     = "Z0123456789ABCDEFGHIJ"
  alarm_email = "operators@example.com"
  mail        = { from = "My blog <blog@example.com>" }
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

run "defaults" {
  command = apply
}
