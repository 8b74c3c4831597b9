# CloudFront before the bucket. A page of another origin than the API's: what users upload is nobody's script there.

locals {
  own_domain = var.domain == null ? 0 : 1
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV_AWS_68: it reads objects by their keys, and passes nothing else on
  # checkov:skip=CKV_AWS_86: whose pictures a reader looks at is not recorded
  # checkov:skip=CKV_AWS_174: CloudFront's own certificate comes with its own policy, TLSv1; the one of a domain with TLSv1.2_2021
  # checkov:skip=CKV_AWS_305: there is no page, each request is for an object
  # checkov:skip=CKV_AWS_310: there is one bucket
  # checkov:skip=CKV_AWS_374: readers are anywhere
  # checkov:skip=CKV2_AWS_42: without a domain of its own it has CloudFront's certificate
  # checkov:skip=CKV2_AWS_47: nothing behind it runs Java
  comment         = "Media of ${var.name}"
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = var.price_class
  aliases         = var.domain[*]

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.this.bucket_regional_domain_name
    origin_path              = "/${local.prefix}"
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  default_cache_behavior {
    target_origin_id           = "bucket"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.this.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = one(aws_acm_certificate_validation.this[*].certificate_arn)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
  }
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${var.name}-media"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# As AWS's own CachingOptimized, except that nothing is kept for longer than a day: what is deleted from the bucket is then gone here
# too. An object that is there still costs CloudFront one question.
resource "aws_cloudfront_cache_policy" "this" {
  name        = "${var.name}-media"
  min_ttl     = 1
  default_ttl = 86400
  max_ttl     = 86400

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  # checkov:skip=CKV_AWS_259: the domains below this one are somebody else's
  name = "${var.name}-media"

  security_headers_config {
    # A file that is opened in a tab runs nothing, loads nothing and has no origin.
    content_security_policy {
      content_security_policy = "default-src 'none'; sandbox"
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      override                   = true
    }
  }

  custom_headers_config {
    # The owner's sites are other origins, and may be isolated from those that do not say so.
    items {
      header   = "Cross-Origin-Resource-Policy"
      value    = "cross-origin"
      override = true
    }
  }
}

resource "aws_acm_certificate" "this" {
  # CloudFront takes certificates from us-east-1 alone.
  provider = aws.us_east_1
  count    = local.own_domain

  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  validation = one(flatten(aws_acm_certificate.this[*].domain_validation_options))
}

resource "aws_route53_record" "validation" {
  count   = local.own_domain
  zone_id = var.zone_id
  name    = local.validation.resource_record_name
  type    = local.validation.resource_record_type
  records = [local.validation.resource_record_value]
  ttl     = 300
  # Another environment, or this one in another region, proves the same domain by the same record.
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  provider = aws.us_east_1
  count    = local.own_domain

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}

resource "aws_route53_record" "this" {
  for_each = var.domain == null ? toset([]) : toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = var.domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }

  allow_overwrite = true
}
