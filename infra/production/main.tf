# Route 53 → load balancer :443 → tasks → PostgreSQL: how many, how large and in how many zones says the profile.

module "network" {
  source = "../modules/network"

  name               = var.name
  cidr               = var.cidr
  availability_zones = var.availability_zones
  outbound           = local.settings.outbound
  mail               = var.mail != null
  flow_logs          = local.settings.flow_logs
  kms_key_arn        = aws_kms_key.this.arn
  log_retention_days = var.log_retention_days
}

module "database" {
  source = "../modules/database"

  name                         = var.name
  subnet_ids                   = module.network.database_subnet_ids
  security_group_id            = module.network.database_security_group_id
  kms_key_arn                  = aws_kms_key.this.arn
  postgres_version             = var.database_version
  upgrade                      = var.database_upgrade
  instance_class               = local.settings.database_instance_class
  multi_az                     = local.settings.database_multi_az
  storage_gib                  = var.database_storage_gib
  application_password_version = var.application_password_version
  # Each task opens up to 10 unless told otherwise, and one to hear the others; a rollout doubles the tasks.
  connections_alarm   = local.settings.tasks.max * 2 * (tonumber(lookup(var.environment, "DB_MAX_CONNECTIONS", "10")) + 1)
  alarm_topic_arn     = aws_sns_topic.alarms.arn
  log_retention_days  = var.log_retention_days
  deletion_protection = local.settings.deletion_protection
}

module "media" {
  source = "../modules/media"
  count  = var.media ? 1 : 0

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name        = var.name
  domain      = var.media_domain
  zone_id     = var.zone_id
  price_class = var.media_price_class
  # Pages that upload call the API before.
  upload_origins      = coalesce(var.media_upload_origins, compact(split(",", replace(lookup(var.environment, "CORS_ALLOWED_ORIGINS", ""), " ", ""))))
  deletion_protection = local.settings.deletion_protection
}

locals {
  # Without a way out there is none to a receiver: who makes a webhook is told so, and not the admins after five days.
  environment = merge(local.settings.outbound == "endpoints" ? { WEBHOOKS = "off" } : {}, var.environment)
}

module "service" {
  source = "../modules/service"

  name        = var.name
  cluster     = var.cluster
  domain_name = var.domain_name
  zone_id     = var.zone_id

  vpc_id                          = module.network.vpc_id
  public_subnet_ids               = module.network.public_subnet_ids
  task_subnet_ids                 = module.network.task_subnet_ids
  public_addresses                = local.settings.outbound == "public"
  load_balancer_security_group_id = module.network.load_balancer_security_group_id
  tasks_security_group_id         = module.network.tasks_security_group_id

  database = module.database
  mail     = var.mail
  media    = one(module.media)

  task_definition_file = "${path.root}/../../task-definition.json"
  task_size            = local.settings.task_size
  architecture         = var.architecture
  spot_percent         = var.spot_percent
  image_tag            = var.image_tag
  environment          = local.environment
  tasks                = local.settings.tasks
  requests_per_task    = var.requests_per_task
  firewall             = local.settings.firewall
  container_insights   = local.settings.container_insights
  requests_per_address = var.requests_per_address

  kms_key_arn         = aws_kms_key.this.arn
  alarm_topic_arn     = aws_sns_topic.alarms.arn
  log_retention_days  = var.log_retention_days
  deletion_protection = local.settings.deletion_protection
}
