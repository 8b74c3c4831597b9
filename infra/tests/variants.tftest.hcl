# What else an operator may choose, and what is refused.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  domain_name = "blog.example.com"
  zone_id     = "Z0123456789ABCDEFGHIJ"
}

run "without_a_way_to_the_internet" {
  command = plan

  variables {
    outbound = "endpoints"
  }

  assert {
    condition     = module.network.nat_zones == [] && module.network.interface_endpoints == ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
    error_message = "with endpoints there must be no NAT gateway, and an endpoint for all that a task needs"
  }

  assert {
    condition     = lookup(local.environment, "WEBHOOKS", "on") == "off"
    error_message = "tasks that reach no receiver must be told so"
  }
}

run "mail_without_a_way_to_the_internet" {
  command = plan

  variables {
    outbound = "endpoints"
    mail     = { from = "blog@example.org", dmarc = "off" }
  }

  assert {
    condition     = contains(module.network.interface_endpoints, "email") && length(output.mail_records) == 5
    error_message = "mail must have an endpoint of SES, and records to set by hand where its domain is not in the zone"
  }
}

run "a_gateway_in_each_zone" {
  command = plan

  variables {
    outbound = "nat-per-zone"
  }

  assert {
    condition     = module.network.nat_zones == ["ap-northeast-2a", "ap-northeast-2c"] && module.network.interface_endpoints == []
    error_message = "with nat-per-zone there must be a NAT gateway in each zone, and no interface endpoint"
  }

  assert {
    condition     = !contains(keys(local.environment), "WEBHOOKS")
    error_message = "tasks that reach receivers must send to them"
  }
}

run "media_without_a_way_to_the_internet" {
  command = plan

  variables {
    outbound = "endpoints"
    media    = true
  }

  assert {
    condition     = module.network.interface_endpoints == ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
    error_message = "media need no endpoint beside the gateway of S3, which there is in any case"
  }
}

run "a_bucket_of_ones_own" {
  command = plan

  variables {
    environment = { MEDIA_URL = "s3://pictures" }
  }

  expect_failures = [var.environment]
}

run "media_in_place_of_the_api" {
  command = plan

  variables {
    media        = true
    media_domain = "blog.example.com"
  }

  expect_failures = [var.media_domain]
}

run "a_mail_server" {
  command = plan

  variables {
    outbound    = "endpoints"
    environment = { MAIL_URL = "smtps://mail.example.com" }
  }

  expect_failures = [var.environment]
}

run "webhooks_without_a_way_to_the_internet" {
  command = plan

  variables {
    outbound    = "endpoints"
    environment = { WEBHOOKS = "on" }
  }

  expect_failures = [var.environment]
}

run "mistakes_in_variables" {
  command = plan

  variables {
    name                 = "Blog_API"
    domain_name          = "https://blog.example.com/"
    zone_id              = "example.com"
    cidr                 = "10.0.0.0/24"
    availability_zones   = ["eu-central-1a", "eu-central-1b"]
    outbound             = "proxy"
    image_tag            = "latest"
    task_size            = { cpu = 512, memory = 512 }
    environment          = { DATABASE_URL = "postgres://blog:secret@db/blog", DRAIN_DELAY = "100" }
    tasks                = { min = 1, max = 10 }
    architecture         = "ARM"
    spot_percent         = 101
    database_version     = "9"
    log_retention_days   = 31
    database_storage_gib = 5
    mail                 = { from = "My blog" }
    media_price_class    = "PriceClass_300"
    media_upload_origins = ["blog.example.com"]
  }

  expect_failures = [
    var.name,
    var.domain_name,
    var.zone_id,
    var.cidr,
    var.availability_zones,
    var.outbound,
    var.image_tag,
    var.task_size,
    var.environment,
    var.tasks,
    var.architecture,
    var.spot_percent,
    var.database_version,
    var.log_retention_days,
    var.database_storage_gib,
    var.mail,
    var.media_price_class,
    var.media_upload_origins,
  ]
}
