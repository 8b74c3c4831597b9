# What the provider would answer, where a made-up word would not do: ARNs are checked and taken apart.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_region" {
  defaults = { name = "ap-northeast-2" }
}

mock_data "aws_route53_zone" {
  defaults = { name = "example.com" }
}

mock_resource "aws_sesv2_email_identity" {
  defaults = {
    arn                     = "arn:aws:ses:ap-northeast-2:123456789012:identity/example.com"
    dkim_signing_attributes = { tokens = ["token1", "token2", "token3"] }
  }
}

mock_resource "aws_sesv2_configuration_set" {
  defaults = { arn = "arn:aws:ses:ap-northeast-2:123456789012:configuration-set/blog-api" }
}

mock_resource "aws_cloudwatch_event_connection" {
  defaults = { arn = "arn:aws:events:ap-northeast-2:123456789012:connection/blog-api-mail-events/mock" }
}

mock_resource "aws_cloudwatch_event_api_destination" {
  defaults = { arn = "arn:aws:events:ap-northeast-2:123456789012:api-destination/blog-api-mail-events/mock" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:ap-northeast-2:123456789012:blog-api-mail-events" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-northeast-2:123456789012:key/11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:ap-northeast-2:123456789012:blog-api-alarms" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:ap-northeast-2:123456789012:log-group:mock" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mock" }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn            = "arn:aws:cloudfront::123456789012:distribution/E1MOCK"
    domain_name    = "mock.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:ap-northeast-2:123456789012:repository/blog-api"
    repository_url = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/blog-api"
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf" }
}

mock_resource "aws_db_instance" {
  defaults = {
    arn     = "arn:aws:rds:ap-northeast-2:123456789012:db:blog-api"
    address = "blog-api.mock.ap-northeast-2.rds.amazonaws.com"
    master_user_secret = [{
      kms_key_id    = "mock"
      secret_arn    = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:rds!db-AbCdEf"
      secret_status = "active"
    }]
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/mock"
    domain_validation_options = [{
      domain_name           = "blog.example.com"
      resource_record_name  = "_mock.blog.example.com"
      resource_record_type  = "CNAME"
      resource_record_value = "_mock.acm-validations.aws."
    }]
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = { certificate_arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/mock" }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/blog-api/0123456789abcdef"
    arn_suffix = "app/blog-api/0123456789abcdef"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/blog-api/0123456789abcdef"
    arn_suffix = "targetgroup/blog-api/0123456789abcdef"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/blog-api/mock" }
}

mock_resource "aws_ecs_cluster" {
  defaults = {
    arn = "arn:aws:ecs:ap-northeast-2:123456789012:cluster/blog-cluster"
    id  = "arn:aws:ecs:ap-northeast-2:123456789012:cluster/blog-cluster"
  }
}

mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/mock:1" }
}
