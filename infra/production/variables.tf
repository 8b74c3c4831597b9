variable "profile" {
  description = "What is built, and what it costs: learning, small or production. profile.tf says what that is; each of its settings is a variable here, null for the profile's."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["learning", "small", "production"], var.profile)
    error_message = "profile must be learning, small or production."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "ap-northeast-2"
}

variable "name" {
  description = "Prefix of every name. The deploy role of infra/bootstrap is for the same one."
  type        = string
  default     = "blog-api"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens: load balancers take no more."
  }
}

variable "cluster" {
  description = "Name of the ECS cluster, the same as in infra/bootstrap."
  type        = string
  default     = "blog-cluster"
}

variable "domain_name" {
  description = "Where clients reach the service, such as blog.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a host name, without https:// and without a path."
  }
}

variable "zone_id" {
  description = "The Route 53 hosted zone of the domain, to which its registrar already points."
  type        = string

  validation {
    condition     = can(regex("^[A-Z0-9]{10,32}$", var.zone_id))
    error_message = "zone_id must be the id of a hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "alarm_email" {
  description = "Who is told of alarms; null tells nobody. AWS asks the address to confirm."
  type        = string
  default     = null
}

variable "cidr" {
  description = "Address range of the VPC."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "cidr must be a /16, such as 10.0.0.0/16: each subnet is a /24 of it."
  }
}

variable "availability_zones" {
  description = "The two zones of the region. Named, so that a zone which AWS adds moves nothing."
  type        = list(string)
  default     = ["ap-northeast-2a", "ap-northeast-2c"]

  validation {
    condition = length(distinct(var.availability_zones)) == 2 && alltrue([
      for zone in var.availability_zones : startswith(zone, var.region)
    ])
    error_message = "availability_zones must name two zones of the region."
  }
}

variable "outbound" {
  description = <<-EOT
    How tasks reach AWS: nat (one gateway), nat-per-zone, endpoints (no way to the internet at all), or public: the tasks
    have public addresses, which only the load balancer's group may talk to, and no gateway is paid for.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.outbound == null ? true : contains(["nat", "nat-per-zone", "endpoints", "public"], var.outbound)
    error_message = "outbound must be nat, nat-per-zone, endpoints or public."
  }
}

variable "image_tag" {
  description = <<-EOT
    Tag of the image in the task definitions that Terraform registers before any image was pushed; later ones name the newest.
    No image of the default's name exists: the first run of scripts/deploy brings one, and owns the tag from then on.
  EOT
  type        = string
  default     = "undeployed"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag must name one image for good, such as a git SHA. latest does not: it cannot be rolled back."
  }
}

variable "task_size" {
  description = "CPU units and MiB of a task; where the profile says nothing either, those of task-definition.json."
  type        = object({ cpu = number, memory = number })
  default     = null

  validation {
    condition = var.task_size == null ? true : contains(lookup(tomap({
      256   = tolist([512, 1024, 2048])
      512   = range(1024, 4097, 1024)
      1024  = range(2048, 8193, 1024)
      2048  = range(4096, 16385, 1024)
      4096  = range(8192, 30721, 1024)
      8192  = range(16384, 61441, 4096)
      16384 = range(32768, 122881, 8192)
    }), tostring(var.task_size.cpu), []), var.task_size.memory)
    error_message = "Fargate has no such task_size. Among others it has 256/512, 512/1024, 1024/2048 and 2048/4096."
  }
}

variable "environment" {
  description = "Settings of the service beyond task-definition.json: see docs/configuration.md."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.environment), ["DATABASE_URL", "DB_SECRET_ID", "DB_APP_SECRET_ID"])) == 0
    error_message = "environment must not say where the database is: its password belongs into Secrets Manager, and Terraform names the secret."
  }

  validation {
    condition     = length(setintersection(keys(var.environment), ["PORT", "DRAIN_DELAY", "SHUTDOWN_TIMEOUT"])) == 0
    error_message = "environment must not set PORT, DRAIN_DELAY or SHUTDOWN_TIMEOUT: they go with portMappings and stopTimeout, so set them in task-definition.json, beside these."
  }

  validation {
    condition     = length(setintersection(keys(var.environment), ["MAIL_URL", "MAIL_FROM", "MAIL_EVENTS_TOKEN_SHA256"])) == 0
    error_message = "environment must not set MAIL_URL, MAIL_FROM or MAIL_EVENTS_TOKEN_SHA256: mail does, for SES. A mail server cannot be reached, whatever outbound is: tasks are let out to port 443 alone, and its password would stand in the task definition."
  }

  validation {
    condition     = !contains(keys(var.environment), "WEBHOOKS")
    error_message = "environment must not set WEBHOOKS: outbound decides whether tasks reach receivers."
  }

  validation {
    condition     = length(setintersection(keys(var.environment), ["MEDIA_URL", "MEDIA_PUBLIC_URL"])) == 0
    error_message = "environment must not set MEDIA_URL or MEDIA_PUBLIC_URL: media does, with the rights on the bucket."
  }
}

variable "mail" {
  description = <<-EOT
    Mail by SES, whose sender is `from`, such as My blog <blog@example.com>; null for none. `dmarc` is the policy of the domain's
    DMARC record: none, quarantine or reject, or off where the domain has such a record already.
  EOT
  type        = object({ from = string, dmarc = optional(string, "none") })
  default     = null

  validation {
    condition     = var.mail == null ? true : can(regex("^([^<>]+ <)?[^<>@ ]+@([a-z0-9-]+\\.)+[a-z]{2,}>?$", var.mail.from))
    error_message = "mail.from must be a sender such as My blog <blog@example.com>, with the domain in lower case."
  }

  validation {
    condition     = var.mail == null ? true : contains(["none", "quarantine", "reject", "off"], var.mail.dmarc)
    error_message = "mail.dmarc must be none, quarantine, reject or off."
  }
}

variable "media" {
  description = "Pictures and files that authors upload: a bucket, and CloudFront before it. An account that has never had CloudFront may have to ask AWS for it first."
  type        = bool
  default     = false
}

variable "media_domain" {
  description = "Where clients fetch media, such as media.example.com, in the hosted zone; null for a name of CloudFront's, which speaks older TLS too."
  type        = string
  default     = null

  validation {
    condition     = var.media_domain == null ? true : can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.media_domain)) && var.media_domain != var.domain_name
    error_message = "media_domain must be a host name, without https:// and without a path, and not the API's."
  }
}

variable "media_price_class" {
  description = "Where CloudFront delivers from: PriceClass_100 is North America and Europe, PriceClass_200 Asia and Africa too, PriceClass_All everywhere."
  type        = string
  default     = "PriceClass_200"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.media_price_class)
    error_message = "media_price_class must be PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "media_upload_origins" {
  description = "Origins whose pages may upload straight into the bucket, such as https://blog.example.com; null for those of CORS_ALLOWED_ORIGINS in environment, [] for none."
  type        = list(string)
  default     = null

  validation {
    condition     = var.media_upload_origins == null ? true : alltrue([for origin in var.media_upload_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "media_upload_origins must be origins such as https://blog.example.com, without a path and without a wildcard."
  }
}

variable "tasks" {
  description = "How many tasks there are at rest, and how many under load."
  type        = object({ min = number, max = number })
  default     = null

  validation {
    condition     = var.tasks == null ? true : var.tasks.min >= (var.profile == "production" ? 2 : 1) && var.tasks.max >= var.tasks.min
    error_message = "tasks.min must be 2 or more in production, for the service to outlive the loss of a zone, and 1 or more elsewhere; tasks.max no less."
  }
}

variable "architecture" {
  description = "Processor of the tasks: X86_64, or ARM64 (Graviton), which costs a fifth less. scripts/deploy builds for it."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "architecture must be X86_64 or ARM64."
  }
}

variable "spot_percent" {
  description = <<-EOT
    How many of a hundred tasks run on Fargate Spot, for about a third of the price: AWS takes them away with two minutes'
    notice, and may have none. From 0 to more and back, the service is made anew: run scripts/deploy then.
  EOT
  type        = number
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100 && floor(var.spot_percent) == var.spot_percent
    error_message = "spot_percent must be a whole number from 0 to 100."
  }
}

variable "firewall" {
  description = "Put a web application firewall before the load balancer."
  type        = bool
  default     = null
}

variable "flow_logs" {
  description = "Log the traffic of the VPC."
  type        = bool
  default     = null
}

variable "container_insights" {
  description = "Keep the metrics of each task."
  type        = bool
  default     = null
}

variable "requests_per_task" {
  description = "Requests per task and minute that autoscaling aims at."
  type        = number
  default     = 3000
}

variable "requests_per_address" {
  description = "Requests from one address in five minutes before the firewall refuses it."
  type        = number
  default     = 3000

  validation {
    condition     = var.requests_per_address >= 10
    error_message = "requests_per_address must be 10 or more."
  }
}

variable "database_instance_class" {
  description = "Size of the database instance."
  type        = string
  default     = null

  validation {
    condition     = var.database_instance_class == null ? true : startswith(var.database_instance_class, "db.")
    error_message = "database_instance_class must be a class of RDS, such as db.t4g.medium."
  }
}

variable "database_version" {
  description = "Major version of PostgreSQL. Another one comes with database_upgrade: see docs/runbooks.md."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9]$", var.database_version))
    error_message = "database_version must be a major version of PostgreSQL from 15 on, such as 17."
  }
}

variable "database_upgrade" {
  description = "Let this apply bring in another database_version, at once. The database is away for some minutes."
  type        = bool
  default     = false
}

variable "database_multi_az" {
  description = "Keep a standby of the database in the other zone."
  type        = bool
  default     = null
}

variable "database_storage_gib" {
  description = "Storage of the database at the start; it grows by itself up to five times as much."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gib >= 20
    error_message = "database_storage_gib must be 20 or more."
  }
}

variable "application_password_version" {
  description = "Raise it for a new password of the service's database role; then run scripts/deploy."
  type        = number
  default     = 1
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch has, such as 7, 30, 90 or 365."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete what holds data. Apply false before a destroy."
  type        = bool
  default     = null
}
