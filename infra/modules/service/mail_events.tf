# Bounces and complaints: SES tells EventBridge, which posts each event to the service with a token of which the service
# knows the hash. What cannot be delivered within a day is kept in a queue, and raises an alarm.

# 256 random bits, made once, and anew when this is replaced. They are in the state, as what a connection sends always is. Plans
# would show them as the `output` of an `input`, and as the id of a password that Secrets Manager's data source makes.
resource "terraform_data" "mail_events_token" {
  count            = local.mail
  triggers_replace = sensitive(replace("${uuid()}${uuid()}", "-", ""))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

resource "aws_cloudwatch_event_connection" "mail_events" {
  count              = local.mail
  name               = "${var.name}-mail-events"
  authorization_type = "API_KEY"

  auth_parameters {
    api_key {
      key   = "Authorization"
      value = "Bearer ${terraform_data.mail_events_token[0].triggers_replace}"
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "mail_events" {
  count               = local.mail
  name                = "${var.name}-mail-events"
  connection_arn      = aws_cloudwatch_event_connection.mail_events[0].arn
  invocation_endpoint = "https://${var.domain_name}/v1/mail-events"
  http_method         = "POST"
  # From one address, half of what the firewall lets through by default.
  invocation_rate_limit_per_second = 5
}

resource "aws_cloudwatch_event_rule" "mail_events" {
  count       = local.mail
  name        = "${var.name}-mail-events"
  description = "Bounces of and complaints about mails of the service"

  event_pattern = jsonencode({
    source      = ["aws.ses"]
    detail-type = ["Email Bounced", "Email Complaint Received"]
    detail      = { mail = { tags = { "ses:configuration-set" = [aws_sesv2_configuration_set.this[0].configuration_set_name] } } }
  })
}

resource "aws_cloudwatch_event_target" "mail_events" {
  count    = local.mail
  rule     = aws_cloudwatch_event_rule.mail_events[0].name
  arn      = aws_cloudwatch_event_api_destination.mail_events[0].arn
  role_arn = aws_iam_role.mail_events[0].arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.mail_events[0].arn
  }
}

resource "aws_iam_role" "mail_events" {
  count       = local.mail
  name        = "${var.name}-mail-events"
  description = "EventBridge: post bounces and complaints to the service"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "mail_events" {
  count = local.mail
  name  = "post-mail-events"
  role  = aws_iam_role.mail_events[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:InvokeApiDestination"
      Resource = aws_cloudwatch_event_api_destination.mail_events[0].arn
    }]
  })
}

resource "aws_sqs_queue" "mail_events" {
  count                     = local.mail
  name                      = "${var.name}-mail-events"
  message_retention_seconds = 1209600
  # Not by our key: what EventBridge could not encrypt would be lost.
  sqs_managed_sse_enabled = true
}

resource "aws_sqs_queue_policy" "mail_events" {
  count     = local.mail
  queue_url = aws_sqs_queue.mail_events[0].url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.mail_events[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.mail_events[0].arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "mail_events" {
  count             = local.mail
  alarm_name        = "${var.name}-mail-events"
  alarm_description = "Bounces or complaints did not reach the service: see the section on them in docs/runbooks.md."

  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.mail_events[0].name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}
