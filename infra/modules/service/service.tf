resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: how long requests are kept is for the operator to decide
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_cluster" "this" {
  # checkov:skip=CKV_AWS_65: on in production; a profile may leave it out
  name = var.cluster

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count = var.spot_percent > 0 ? 1 : 0

  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

locals {
  capacity = { FARGATE = 100 - var.spot_percent, FARGATE_SPOT = var.spot_percent }
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.serve.arn
  launch_type     = var.spot_percent > 0 ? null : "FARGATE"
  desired_count   = var.tasks.min

  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  enable_ecs_managed_tags            = true
  # Another share of Spot is a new deployment; without this, it would be a new service.
  force_new_deployment = var.spot_percent > 0
  propagate_tags       = "SERVICE"

  dynamic "capacity_provider_strategy" {
    for_each = { for provider, weight in local.capacity : provider => weight if weight > 0 && var.spot_percent > 0 }
    iterator = provider

    content {
      capacity_provider = provider.key
      weight            = provider.value
    }
  }

  network_configuration {
    subnets          = var.task_subnet_ids
    security_groups  = [var.tasks_security_group_id]
    assign_public_ip = var.public_addresses
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = local.container.name
    container_port   = local.container.portMappings[0].containerPort
  }

  # Tasks that do not start or do not become healthy end a deployment ...
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # ... and so do tasks that are healthy and answer badly.
  alarms {
    enable   = true
    rollback = true
    alarm_names = [
      aws_cloudwatch_metric_alarm.errors.alarm_name,
      aws_cloudwatch_metric_alarm.latency.alarm_name,
    ]
  }

  lifecycle {
    # The revision is scripts/deploy's (see tasks.tf), the number of tasks is autoscaling's.
    ignore_changes = [task_definition, desired_count]
  }

  # A target group without a listener takes no service; a task without its rights does not start.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_lb_listener.https,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
  ]
}
