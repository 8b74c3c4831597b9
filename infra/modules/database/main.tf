resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.name}-postgres${var.postgres_version}"
  family = "postgres${var.postgres_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Statements that take a second are a question to ask; the service gives up on them after four.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # Neither values of parameters nor details go into the log: they name e-mail addresses, as the DETAIL of a unique index
  # that refuses a row does. The price is that the log of a wait does not say who holds the lock: `pg_blocking_pids` does.
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }

  parameter {
    name  = "log_error_verbosity"
    value = "terse"
  }

  # A transaction that nobody works on holds its locks: end it.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }

  # That of another version is there before the database takes it.
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  exported_logs = ["postgresql", "upgrade"]
}

# Made here, before RDS makes them without retention.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: slow statements and lock waits are looked at within weeks
  for_each = toset(local.exported_logs)

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# No ca_cert_identifier: RDS renews the certificate on its current authority, and the service trusts all of RDS's roots.
resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_161: the service signs in with the password of its secret, which it reads again after a rotation
  identifier = var.name

  engine                      = "postgres"
  engine_version              = var.postgres_version
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = var.upgrade
  apply_immediately           = var.upgrade
  instance_class              = var.instance_class
  parameter_group_name        = aws_db_parameter_group.this.name

  db_name                       = "blog_api"
  username                      = "blog_api_owner"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  port                   = 5432

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 5
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  backup_retention_period   = 7
  backup_window             = "17:00-18:00"
  maintenance_window        = "sun:18:30-sun:19:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.deletion_protection
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = "${var.name}-final"

  enabled_cloudwatch_logs_exports = local.exported_logs
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn

  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy_attachment.monitoring,
  ]
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-rds-monitoring"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
