# Pictures and files that authors upload. The service writes them with the rights of its role, browsers those uploads for which
# the service has signed, and CloudFront alone delivers them.

data "aws_caller_identity" "current" {}

locals {
  prefix = "media"
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18: nobody but the service and CloudFront gets in, and whose pictures a reader looks at is not recorded
  # checkov:skip=CKV_AWS_21: a key is the hash of the object's bytes, so an object has no earlier version; one that is deleted is to be gone, for erasure
  # checkov:skip=CKV_AWS_144: S3 keeps each object in three zones; another region would have to forget what is erased, too
  # checkov:skip=CKV_AWS_145: see the encryption below
  # checkov:skip=CKV2_AWS_62: nothing waits for a new object
  bucket        = "${var.name}-media-${data.aws_caller_identity.current.account_id}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# With S3's own key: whoever has a link may read the object. A key of ours would keep nobody out, would have to admit CloudFront, and
# one that is disabled would take all pictures away.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "this" {
  count  = length(var.upload_origins) == 0 ? 0 : 1
  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_methods = ["PUT"]
    allowed_origins = var.upload_origins
    # Which headers an upload has, and with which values, the service has signed.
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}

# The task needs no statement here: in one account, its role's own policy is enough.
resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CloudFrontReads"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.this.arn}/${local.prefix}/*"
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
      {
        # Without it, S3 answers 403 for what is not there. No request through CloudFront is one for a list: each is for a path
        # below the prefix.
        Sid       = "CloudFrontLearnsWhatIsGone"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:ListBucket"
        Resource  = aws_s3_bucket.this.arn
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
      {
        Sid       = "OnlyEncryptedConnections"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
