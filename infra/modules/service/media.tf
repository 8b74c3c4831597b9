# What the service needs of the media module: the right to keep objects below its prefix, and an alarm when that fails.

resource "aws_iam_role_policy" "media" {
  count = var.media == null ? 0 : 1
  name  = "keep-media"
  role  = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = var.media.objects_arn
      },
      {
        # Without it, S3 says of an object that is not there that it is forbidden.
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.media.bucket_arn
      },
    ]
  })
}

resource "aws_cloudwatch_metric_alarm" "media" {
  count             = var.media == null ? 0 : 1
  alarm_name        = "${var.name}-media-storage"
  alarm_description = "The bucket of media refuses what the service asks, or does not answer: run scripts/diagnose."

  namespace           = local.namespace
  metric_name         = "MediaStorageErrors"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.alarm_topic_arn]
  ok_actions    = [var.alarm_topic_arn]
}
