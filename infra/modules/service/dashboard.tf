locals {
  graphs = [
    { title = "Requests and server errors, per minute", stat = "Sum", metrics = [
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", aws_lb.this.arn_suffix],
      ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", aws_lb.this.arn_suffix],
      ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", aws_lb.this.arn_suffix],
    ] },
    { title = "p99 at the load balancer, seconds", stat = "p99", metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.this.arn_suffix],
    ] },
    { title = "p99 in the service, milliseconds", stat = "p99", metrics = [
      [local.namespace, "Latency"],
    ] },
    { title = "Errors in the log", stat = "Sum", metrics = [
      [local.namespace, "LogErrors"],
    ] },
    { title = "Targets", stat = "Minimum", metrics = [
      ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", aws_lb_target_group.this.arn_suffix, "LoadBalancer", aws_lb.this.arn_suffix],
      ["AWS/ApplicationELB", "UnHealthyHostCount", "TargetGroup", aws_lb_target_group.this.arn_suffix, "LoadBalancer", aws_lb.this.arn_suffix, { stat = "Maximum" }],
    ] },
    { title = "Tasks: CPU and memory, %", stat = "Average", metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", aws_ecs_cluster.this.name, "ServiceName", aws_ecs_service.this.name],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", aws_ecs_cluster.this.name, "ServiceName", aws_ecs_service.this.name],
    ] },
    { title = "Refused by the service, per minute", stat = "Sum", metrics = [
      [local.namespace, "RequestsShed"],
      [local.namespace, "RequestsRateLimited"],
      [local.namespace, "ConnectionsRefused"],
      [local.namespace, "PoolTimeouts"],
    ] },
    { title = "Busy, of each task", stat = "Maximum", metrics = [
      [local.namespace, "RequestsInFlight"],
      [local.namespace, "PoolInUse"],
      [local.namespace, "PoolWaiting"],
      [local.namespace, "PasswordHashesWaiting"],
    ] },
    { title = "Anonymous reads from memory and from the database, per minute", stat = "Sum", metrics = [
      [local.namespace, "CacheHits"],
      [local.namespace, "CacheMisses"],
    ] },
    { title = "Jobs, of all tasks", stat = "Maximum", metrics = [
      [local.namespace, "JobsUnfinished"],
      [local.namespace, "JobsFailed"],
    ] },
    { title = "Oldest job, seconds late", stat = "Maximum", metrics = [
      [local.namespace, "JobsOldestSeconds"],
    ] },
    { title = "Database: CPU, %", stat = "Average", metrics = [
      ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database.identifier],
    ] },
    { title = "Database: connections", stat = "Maximum", metrics = [
      ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database.identifier],
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = graph.title
        region  = data.aws_region.current.name
        stat    = graph.stat
        period  = 60
        metrics = graph.metrics
      }
    }]
  })
}
