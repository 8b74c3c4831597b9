variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "domain" {
  description = "Where clients fetch media, or null for a name of CloudFront's."
  type        = string
}

variable "zone_id" {
  description = "The hosted zone of the domain."
  type        = string
}

variable "price_class" {
  description = "In which parts of the world CloudFront delivers from."
  type        = string
}

variable "upload_origins" {
  description = "Origins whose pages may upload straight into the bucket."
  type        = list(string)
}

variable "deletion_protection" {
  description = "Refuse to delete the bucket while it holds anything."
  type        = bool
}
