output "url" {
  description = "MEDIA_URL of the service."
  value       = "s3://${aws_s3_bucket.this.id}/${local.prefix}"
}

output "public_url" {
  description = "MEDIA_PUBLIC_URL of the service."
  value       = "https://${coalesce(var.domain, aws_cloudfront_distribution.this.domain_name)}"
}

output "bucket" {
  value = aws_s3_bucket.this.id
}

output "bucket_arn" {
  value = aws_s3_bucket.this.arn
}

output "objects_arn" {
  description = "All that the service keeps in the bucket."
  value       = "${aws_s3_bucket.this.arn}/${local.prefix}/*"
}

output "distribution" {
  value = aws_cloudfront_distribution.this.id
}
