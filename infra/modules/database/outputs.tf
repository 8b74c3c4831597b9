output "identifier" {
  value = aws_db_instance.this.identifier
}

output "address" {
  value = aws_db_instance.this.address
}

output "port" {
  value = aws_db_instance.this.port
}

output "name" {
  value = aws_db_instance.this.db_name
}

output "master_secret_arn" {
  description = "Made and rotated by RDS; holds username and password only."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "application_secret_arn" {
  value = aws_secretsmanager_secret.application.arn
}
