# Ephemeral: the password goes to Secrets Manager and into no state or plan file.
ephemeral "aws_secretsmanager_random_password" "application" {
  password_length     = 40
  exclude_punctuation = true
}

locals {
  application_password = ephemeral.aws_secretsmanager_random_password.application.random_password
}
