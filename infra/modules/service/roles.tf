# Four roles. ECS itself uses `execution` to start a task; the code in the container uses `task` or, in the task that
# migrates, `migrate`, and in those that scripts/run starts, `admin`.

data "aws_region" "current" {}

locals {
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
      }
    }]
  })

  # Which secrets the code of each kind of task reads, with the key that they are encrypted with.
  secret_readers = {
    task    = [var.database.application_secret_arn]
    migrate = [var.database.application_secret_arn, var.database.master_secret_arn]
    # Passwords for new users, which an operator puts there for as long as the task takes.
    admin = [var.database.application_secret_arn, "${local.secrets_of_account}:${var.name}/admin/*"]
  }
  secrets_of_account = "arn:aws:secretsmanager:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:secret"

  read_secrets = { for reader, secrets in local.secret_readers : reader => jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = secrets
      },
      {
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = "secretsmanager.${data.aws_region.current.name}.amazonaws.com" }
          StringLike   = { "kms:EncryptionContext:SecretARN" = secrets }
        }
      },
    ]
  }) }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "ECS: pull the image, write the logs"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  name = "start-tasks"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        # A token is for the whole registry; what it may pull stands below.
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = aws_ecr_repository.this.arn
      },
      {
        Effect = "Allow"
        Action = [
          # The task definition says awslogs-create-group: without this right a task fails where the group is missing.
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ]
        Resource = [aws_cloudwatch_log_group.this.arn, "${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ]
  })
}

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "The service: read its own secret, send its mail, keep its media"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "task" {
  name   = "read-application-secret"
  role   = aws_iam_role.task.id
  policy = local.read_secrets.task
}

resource "aws_iam_role" "migrate" {
  name               = "${var.name}-migrate"
  description        = "Migrations: read the master secret and the application secret"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "migrate" {
  name   = "read-both-secrets"
  role   = aws_iam_role.migrate.id
  policy = local.read_secrets.migrate
}

resource "aws_iam_role" "admin" {
  name               = "${var.name}-admin"
  description        = "Administration: read the application secret and the passwords of new users"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "admin" {
  name   = "read-application-secret-and-passwords"
  role   = aws_iam_role.admin.id
  policy = local.read_secrets.admin
}
