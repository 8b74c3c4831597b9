output "url" {
  value = "https://${var.domain_name}"
}

output "region" {
  value = var.region
}

output "load_balancer_dns_name" {
  description = "Reaches the service before the domain does."
  value       = module.service.load_balancer_dns_name
}

output "repository_url" {
  description = "Where scripts/deploy pushes images."
  value       = module.service.repository_url
}

output "cluster" {
  value = module.service.cluster
}

output "service" {
  description = "Name of the service, and of its family of task definitions."
  value       = module.service.service
}

output "migrate_family" {
  description = "The task definitions that scripts/deploy runs `migrate` with."
  value       = module.service.migrate_family
}

output "task_subnet_ids" {
  value = module.network.task_subnet_ids
}

output "tasks_security_group_id" {
  value = module.network.tasks_security_group_id
}

output "log_group" {
  value = module.service.log_group
}

output "task_role_arn" {
  value = module.service.task_role_arn
}

output "admin_family" {
  description = "The task definitions that scripts/run runs commands with."
  value       = module.service.admin_family
}

output "admin_role_arn" {
  value = module.service.admin_role_arn
}

output "migrate_role_arn" {
  value = module.service.migrate_role_arn
}

output "mail_events_token" {
  description = "With it, bounces and complaints are posted to the service."
  value       = module.service.mail_events_token
  sensitive   = true
}

output "mail_records" {
  description = "Records of mail to set by hand: those of a domain outside the zone."
  value       = module.service.mail_records
}

output "media_bucket" {
  value = one(module.media[*].bucket)
}

output "media_distribution" {
  value = one(module.media[*].distribution)
}

output "media_public_url" {
  description = "Where media are fetched."
  value       = one(module.media[*].public_url)
}

output "application_secret_arn" {
  value = module.database.application_secret_arn
}

output "master_secret_arn" {
  value = module.database.master_secret_arn
}
