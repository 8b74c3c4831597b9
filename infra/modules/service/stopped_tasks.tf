# ECS forgets why a task stopped after an hour. The events are kept here, and the number of them raises an alarm.

resource "aws_cloudwatch_event_rule" "stopped_tasks" {
  name        = "${var.name}-stopped-tasks"
  description = "Tasks that could not start or whose container ended by itself"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [aws_ecs_cluster.this.arn]
      group      = ["service:${aws_ecs_service.this.name}"]
      lastStatus = ["STOPPED"]
      stopCode   = ["TaskFailedToStart", "EssentialContainerExited", "ServiceSchedulerInitiated"]
      # A rollout and scaling in stop tasks too, and say so.
      stoppedReason = [{ anything-but = { prefix = "Scaling activity initiated by" } }]
    }
  })
}

resource "aws_cloudwatch_log_group" "stopped_tasks" {
  # checkov:skip=CKV_AWS_338: why a task stopped is asked within weeks
  name              = "/aws/events/${var.name}-stopped-tasks"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "stopped_tasks" {
  policy_name = "${var.name}-stopped-tasks"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.stopped_tasks.arn}:*"
    }]
  })
}

resource "aws_cloudwatch_event_target" "stopped_tasks" {
  rule = aws_cloudwatch_event_rule.stopped_tasks.name
  arn  = aws_cloudwatch_log_group.stopped_tasks.arn
}
