variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the database, in two zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "Lets the tasks in, and nobody else."
  type        = string
}

variable "kms_key_arn" {
  description = "Encrypts storage, logs and secrets."
  type        = string
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string
}

variable "postgres_version" {
  description = "Major version of PostgreSQL."
  type        = string
}

variable "upgrade" {
  description = "Bring in another major version at once."
  type        = bool
}

variable "multi_az" {
  description = "Keep a standby in the other zone."
  type        = bool
}

variable "storage_gib" {
  description = "Storage at the start; it grows by itself up to five times as much."
  type        = number
}

variable "application_password_version" {
  description = "Raise it to write the application secret anew, with a new password."
  type        = number
}

variable "connections_alarm" {
  description = "More open connections than this raise the alarm."
  type        = number
}

variable "alarm_topic_arn" {
  description = "Where alarms go."
  type        = string
}

variable "log_retention_days" {
  description = "How long PostgreSQL's logs are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the database, and keep a last snapshot and the secret when it is deleted."
  type        = bool
}
