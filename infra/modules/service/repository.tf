resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Layers that no tag names any more"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 7
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Enough images to roll back to"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = 50
        }
        action = { type = "expire" }
      },
    ]
  })
}

# What the scan of an image finds is told where alarms are. scripts/deploy asks for it too, before it migrates.
resource "aws_cloudwatch_event_rule" "findings" {
  name        = "${var.name}-image-findings"
  description = "Scans of images that found something critical or high"

  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Scan"]
    detail = {
      repository-name = [aws_ecr_repository.this.name]
      scan-status     = ["COMPLETE"]
      "$or" = [for severity in ["CRITICAL", "HIGH"] : {
        finding-severity-counts = { (severity) = [{ numeric = [">", 0] }] }
      }]
    }
  })
}

resource "aws_cloudwatch_event_target" "findings" {
  rule = aws_cloudwatch_event_rule.findings.name
  arn  = var.alarm_topic_arn

  input_transformer {
    input_paths = {
      tag    = "$.detail.image-tags[0]"
      counts = "$.detail.finding-severity-counts"
    }
    input_template = "\"The image ${aws_ecr_repository.this.name}:<tag> has findings: <counts>. See docs/runbooks.md.\""
  }
}
