# The role of the workflow that looks for drift: it reads what Terraform has made, and changes nothing.

resource "aws_iam_role" "plan" {
  name        = "${var.name}-plan"
  description = "GitHub Actions plan ${var.name}"

  assume_role_policy = local.assumed_by_workflows.plan
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

# ReadOnlyAccess reads no secret. Terraform asks whether the version that it has written is still there, for which AWS has
# no other call than the one that reads it; and it makes up a password with each plan, which it then does not use.
resource "aws_iam_role_policy" "plan" {
  name = "read-application-secret"
  role = aws_iam_role.plan.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "arn:aws:secretsmanager:${var.region}:${local.account}:secret:${var.name}/database-??????"
      },
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetRandomPassword"
        Resource = "*"
      },
      {
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = "arn:aws:kms:${var.region}:${local.account}:key/*"
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}
