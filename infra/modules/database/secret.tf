# The service's own database role: it reads and writes rows and owns nothing. `blog-api migrate`, run with the master
# secret, makes the role in the database as this secret describes it.
resource "aws_secretsmanager_secret" "application" {
  # checkov:skip=CKV2_AWS_57: rotated by application_password_version and `blog-api migrate`; there is no Lambda here
  name        = "${var.name}/database"
  description = "The database role of ${var.name}'s tasks"
  kms_key_id  = var.kms_key_arn

  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "application" {
  secret_id = aws_secretsmanager_secret.application.id

  secret_string_wo = jsonencode({
    username = "blog_api"
    password = local.application_password
    host     = aws_db_instance.this.address
    port     = aws_db_instance.this.port
    dbname   = aws_db_instance.this.db_name
  })
  secret_string_wo_version = var.application_password_version
}
