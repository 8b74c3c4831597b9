variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "cidr" {
  description = "Address range of the VPC, a /16: each subnet is a /24 of it."
  type        = string
}

variable "availability_zones" {
  description = "The two zones."
  type        = list(string)
}

variable "outbound" {
  description = "How tasks reach AWS: nat (one gateway), nat-per-zone, endpoints or public."
  type        = string
}

variable "mail" {
  description = "Tasks send mail by SES."
  type        = bool
}

variable "flow_logs" {
  description = "Log all traffic."
  type        = bool
}

variable "kms_key_arn" {
  description = "Encrypts the flow logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}
