output "load_balancer_dns_name" {
  value = aws_lb.this.dns_name
}

output "repository_url" {
  value = aws_ecr_repository.this.repository_url
}

output "cluster" {
  value = aws_ecs_cluster.this.name
}

output "service" {
  value = aws_ecs_service.this.name
}

output "migrate_family" {
  value = aws_ecs_task_definition.migrate.family
}

output "log_group" {
  value = aws_cloudwatch_log_group.this.name
}

output "task_role_arn" {
  value = aws_iam_role.task.arn
}

output "admin_family" {
  value = aws_ecs_task_definition.admin.family
}

output "admin_role_arn" {
  value = aws_iam_role.admin.arn
}

output "migrate_role_arn" {
  value = aws_iam_role.migrate.arn
}

output "mail_events_token" {
  value     = one(terraform_data.mail_events_token[*].triggers_replace)
  sensitive = true
}

output "mail_records" {
  value = [for record in values(local.mail_records) : join(" ", record) if !local.mail_is_in_zone]
}
