# The role of the deploying workflow: push an image, register a revision, migrate, roll the service, and read what tells
# why a deployment fails. It changes no infrastructure: `terraform apply` is an operator's.

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_provider_arn == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  github = var.github_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.github_provider_arn

  # Which environment of GitHub may assume each role.
  environments = {
    deploy = var.github_environment
    plan   = "${var.github_environment}-drift"
  }
  assumed_by_workflows = { for role, environment in local.environments : role => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.github }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${var.github_repository}:environment:${environment}"
        }
      }
    }]
  }) }
}

resource "aws_iam_role" "deploy" {
  name        = "${var.name}-deploy"
  description = "GitHub Actions deploy ${var.name}"
  # As long as the workflow asks for.
  max_session_duration = 7200

  assume_role_policy = local.assumed_by_workflows.deploy
}

locals {
  account = data.aws_caller_identity.current.account_id
  in_ecs  = "arn:aws:ecs:${var.region}:${local.account}"
  # Of the roles that infra/production makes, those that its tasks have.
  task_roles = [for role in ["execution", "task", "migrate"] : "arn:aws:iam::${local.account}:role/${var.name}-${role}"]
  log_groups = [
    "arn:aws:logs:${var.region}:${local.account}:log-group:/ecs/${var.name}",
    "arn:aws:logs:${var.region}:${local.account}:log-group:/ecs/${var.name}:*",
    "arn:aws:logs:${var.region}:${local.account}:log-group:/aws/events/${var.name}-stopped-tasks",
    "arn:aws:logs:${var.region}:${local.account}:log-group:/aws/events/${var.name}-stopped-tasks:*",
  ]
}

resource "aws_iam_role_policy" "deploy" {
  name = "deploy"
  role = aws_iam_role.deploy.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SignInToTheRegistry"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid    = "PushImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImageScanFindings",
          "ecr:DescribeImages",
          "ecr:DescribeRepositories",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = "arn:aws:ecr:${var.region}:${local.account}:repository/${var.name}"
      },
      {
        # ECS asks for no resource here; which roles a revision may name is limited by PassTaskRoles.
        Sid    = "RegisterRevisions"
        Effect = "Allow"
        Action = [
          "ecs:DescribeTaskDefinition",
          "ecs:ListTaskDefinitions",
          "ecs:RegisterTaskDefinition",
        ]
        Resource = "*"
      },
      {
        # A revision that a deployment has found healthy is tagged, for scripts/rollback to find.
        Sid    = "TagRevisions"
        Effect = "Allow"
        Action = [
          "ecs:ListTagsForResource",
          "ecs:TagResource",
          "ecs:UntagResource",
        ]
        Resource = [
          "${local.in_ecs}:task-definition/${var.name}:*",
          "${local.in_ecs}:task-definition/${var.name}-migrate:*",
        ]
      },
      {
        Sid      = "PassTaskRoles"
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = local.task_roles
        Condition = {
          StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" }
        }
      },
      {
        Sid      = "Migrate"
        Effect   = "Allow"
        Action   = "ecs:RunTask"
        Resource = "${local.in_ecs}:task-definition/${var.name}-migrate:*"
        Condition = {
          ArnEquals = { "ecs:cluster" = "${local.in_ecs}:cluster/${var.cluster}" }
        }
      },
      {
        Sid    = "RollTheService"
        Effect = "Allow"
        Action = [
          "ecs:DescribeServices",
          "ecs:UpdateService",
        ]
        Resource = "${local.in_ecs}:service/${var.cluster}/${var.name}"
      },
      {
        Sid      = "FollowTasks"
        Effect   = "Allow"
        Action   = "ecs:DescribeTasks"
        Resource = "${local.in_ecs}:task/${var.cluster}/*"
      },
      {
        Sid      = "FindTasks"
        Effect   = "Allow"
        Action   = "ecs:ListTasks"
        Resource = "*"
        Condition = {
          ArnEquals = { "ecs:cluster" = "${local.in_ecs}:cluster/${var.cluster}" }
        }
      },
      {
        Sid    = "ReadLogs"
        Effect = "Allow"
        Action = [
          "logs:FilterLogEvents",
          "logs:GetLogEvents",
        ]
        Resource = local.log_groups
      },
      {
        # What scripts/diagnose looks at. None of these calls can be limited to a resource, and none reads a secret.
        Sid    = "DiagnoseTheNetwork"
        Effect = "Allow"
        Action = [
          "cloudfront:ListDistributions",
          "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcEndpoints",
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
          "logs:DescribeLogGroups",
          "route53:ListHostedZonesByName",
          "ses:GetAccount",
        ]
        Resource = "*"
      },
      {
        Sid    = "DiagnoseTheRest"
        Effect = "Allow"
        Action = [
          "acm:DescribeCertificate",
          "cloudwatch:DescribeAlarms",
          "ec2:DescribeVpcAttribute",
          "ecr:GetRepositoryPolicy",
          "kms:DescribeKey",
          "rds:DescribeDBInstances",
          "route53:ListResourceRecordSets",
          "ses:GetEmailIdentity",
          "wafv2:GetWebACLForResource",
        ]
        Resource = [
          "arn:aws:acm:${var.region}:${local.account}:certificate/*",
          # CloudWatch asks for all of them, whatever prefix is named.
          "arn:aws:cloudwatch:${var.region}:${local.account}:alarm:*",
          "arn:aws:ec2:${var.region}:${local.account}:vpc/*",
          "arn:aws:ecr:${var.region}:${local.account}:repository/${var.name}",
          "arn:aws:elasticloadbalancing:${var.region}:${local.account}:loadbalancer/app/*",
          "arn:aws:kms:${var.region}:${local.account}:key/*",
          "arn:aws:rds:${var.region}:${local.account}:db:*",
          "arn:aws:route53:::hostedzone/*",
          "arn:aws:ses:${var.region}:${local.account}:identity/*",
          "arn:aws:wafv2:${var.region}:${local.account}:regional/webacl/*",
        ]
      },
      {
        Sid    = "DiagnoseRoles"
        Effect = "Allow"
        Action = [
          "iam:GetRole",
          "iam:SimulatePrincipalPolicy",
        ]
        Resource = concat(local.task_roles, [aws_iam_role.deploy.arn])
      },
      {
        Sid    = "DiagnoseMedia"
        Effect = "Allow"
        Action = [
          "s3:GetBucketLocation",
          "s3:GetBucketPolicy",
          "s3:GetEncryptionConfiguration",
        ]
        Resource = "arn:aws:s3:::${var.name}-media-${local.account}"
      },
      {
        Sid    = "DiagnoseSecrets"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetResourcePolicy",
        ]
        # Secrets Manager ends the ARN with six characters of its own.
        Resource = "arn:aws:secretsmanager:${var.region}:${local.account}:secret:${var.name}/database-??????"
      },
    ]
  })
}
