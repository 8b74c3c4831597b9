locals {
  balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  target   = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
  # Of the metrics that CloudWatch reads from the service's log: by filters, and those that the service tells itself.
  namespace = var.name
}

# The next two roll a deployment back: see the service's `alarms`.

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-5xx"
  alarm_description   = "More than 5 % of the answers are server errors, by the service or by the load balancer for it."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "rate"
    label       = "Server errors, %"
    expression  = "IF(answers > 0, 100 * errors / answers, 0)"
    return_data = true
  }

  # RequestCount leaves out what the load balancer had no target for: with no task left, it answers 503 to everything and
  # counts no request.
  metric_query {
    id         = "answers"
    expression = "MAX([FILL(requests, 0), errors])"
  }

  metric_query {
    id         = "errors"
    expression = "FILL(service, 0) + FILL(balancer, 0)"
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      dimensions  = local.balancer
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "service"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_Target_5XX_Count"
      dimensions  = local.target
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "balancer"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_ELB_5XX_Count"
      dimensions  = local.balancer
      stat        = "Sum"
      period      = 60
    }
  }

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name        = "${var.name}-p99"
  alarm_description = "One answer in a hundred takes longer than a second."

  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  dimensions          = local.target
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name        = "${var.name}-unhealthy-targets"
  alarm_description = "The load balancer finds a task unhealthy."

  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = local.target
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

# Without any task there is no unhealthy target either, and then no data at all.
resource "aws_cloudwatch_metric_alarm" "no_healthy_target" {
  alarm_name        = "${var.name}-no-healthy-target"
  alarm_description = "No task takes requests: the service is down, or was never deployed."

  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = local.target
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "restarts" {
  alarm_name        = "${var.name}-task-restarts"
  alarm_description = "Tasks stop and are replaced. The log group of stopped tasks says why."

  namespace           = "AWS/Events"
  metric_name         = "TriggeredRules"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.stopped_tasks.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-log-errors"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.level = \"ERROR\" }"

  metric_transformation {
    namespace     = local.namespace
    name          = "LogErrors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "log_errors" {
  alarm_name        = "${var.name}-log-errors"
  alarm_description = "The service logs errors: each is a request or a background job that failed for a cause of ours."

  namespace           = local.namespace
  metric_name         = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "oldest_job" {
  alarm_name        = "${var.name}-oldest-job"
  alarm_description = "A job waits for more than ten minutes: no task works on it, or what it needs is away."

  namespace           = local.namespace
  metric_name         = "JobsOldestSeconds"
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 600
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}

# The service's own view of its latency, by its access log: without the way to the load balancer.
resource "aws_cloudwatch_log_metric_filter" "latency" {
  name           = "${var.name}-latency"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.latency_ms = * }"

  metric_transformation {
    namespace = local.namespace
    name      = "Latency"
    value     = "$.latency_ms"
    unit      = "Milliseconds"
  }
}
