variable "name" {
  description = "Name of the service, task family, repository and load balancer."
  type        = string
}

variable "cluster" {
  description = "Name of the cluster."
  type        = string
}

variable "domain_name" {
  description = "Where clients reach the service."
  type        = string
}

variable "zone_id" {
  description = "The hosted zone of the domain."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the target group."
  type        = string
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)
}

variable "task_subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "public_addresses" {
  description = "Give tasks public addresses: in public subnets, their only way out."
  type        = bool
}

variable "load_balancer_security_group_id" {
  description = "Lets the internet in."
  type        = string
}

variable "tasks_security_group_id" {
  description = "Lets the load balancer in."
  type        = string
}

variable "database" {
  description = "Where the database is, and its two secrets."
  type = object({
    address                = string
    port                   = number
    name                   = string
    identifier             = string
    master_secret_arn      = string
    application_secret_arn = string
  })
}

variable "mail" {
  description = "The sender of mails and the policy of its DMARC record, or null for no mail."
  type        = object({ from = string, dmarc = string })
}

variable "media" {
  description = "Where media are kept and fetched, and what the task has rights on, or null for none."
  type        = object({ url = string, public_url = string, bucket_arn = string, objects_arn = string })
}

variable "task_definition_file" {
  description = "The task definition that the rendered ones are made from."
  type        = string
}

variable "task_size" {
  description = "CPU units and MiB of a task, in place of the file's."
  type        = object({ cpu = number, memory = number })
}

variable "architecture" {
  description = "Processor of a task, in place of the file's: X86_64 or ARM64."
  type        = string
}

variable "spot_percent" {
  description = "How many of a hundred tasks run on Fargate Spot."
  type        = number
}

variable "image_tag" {
  description = "Tag of the image in the revisions that Terraform registers."
  type        = string
}

variable "environment" {
  description = "Settings of the service, beyond the file's or in their place."
  type        = map(string)
}

variable "tasks" {
  description = "How many tasks there are at rest, and how many under load."
  type        = object({ min = number, max = number })
}

variable "requests_per_task" {
  description = "Requests per task and minute that autoscaling aims at."
  type        = number
}

variable "container_insights" {
  description = "Keep the metrics of each task."
  type        = bool
}

variable "firewall" {
  description = "Put a web application firewall before the load balancer."
  type        = bool
}

variable "requests_per_address" {
  description = "Requests from one address in five minutes before the firewall refuses it."
  type        = number
}

variable "kms_key_arn" {
  description = "Encrypts logs, images and secrets."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Where alarms go."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer, its logs and the images."
  type        = bool
}
