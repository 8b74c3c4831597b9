variable "region" {
  description = "AWS region of the state and of what is deployed."
  type        = string
  default     = "ap-northeast-2"
}

variable "name" {
  description = "Prefix of every name, the same as in infra/production."
  type        = string
  default     = "blog-api"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens."
  }
}

variable "cluster" {
  description = "Name of the ECS cluster, the same as in infra/production."
  type        = string
  default     = "blog-cluster"
}

variable "github_repository" {
  description = "The repository whose workflow may deploy, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be owner/name, without a wildcard."
  }
}

variable "github_provider_arn" {
  description = "GitHub's identity provider, of which an account has one; null makes it."
  type        = string
  default     = null
}

variable "github_environment" {
  description = "The environment of GitHub that the deploying job runs in. Who may deploy is decided there."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.github_environment))
    error_message = "github_environment must be letters, digits, hyphens and underscores."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete a bucket that holds states."
  type        = bool
  default     = true
}
