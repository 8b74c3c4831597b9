# The production shape: Route 53 → load balancer :443 → tasks in two zones → PostgreSQL in two zones.

module "network" {
  source = "../modules/network"

  name               = var.name
  cidr               = var.cidr
  availability_zones = var.availability_zones
  outbound           = var.outbound
  kms_key_arn        = aws_kms_key.this.arn
  log_retention_days = var.log_retention_days
}

module "database" {
  source = "../modules/database"

  name                         = var.name
  subnet_ids                   = module.network.database_subnet_ids
  security_group_id            = module.network.database_security_group_id
  kms_key_arn                  = aws_kms_key.this.arn
  instance_class               = var.database_instance_class
  storage_gib                  = var.database_storage_gib
  application_password_version = var.application_password_version
  # Each task opens up to 10 unless told otherwise, and one to hear the others; a rollout doubles the tasks.
  connections_alarm   = var.tasks.max * 2 * (tonumber(lookup(var.environment, "DB_MAX_CONNECTIONS", "10")) + 1)
  alarm_topic_arn     = aws_sns_topic.alarms.arn
  log_retention_days  = var.log_retention_days
  deletion_protection = var.deletion_protection
}

module "service" {
  source = "../modules/service"

  name        = var.name
  cluster     = var.cluster
  domain_name = var.domain_name
  zone_id     = var.zone_id

  vpc_id                          = module.network.vpc_id
  public_subnet_ids               = module.network.public_subnet_ids
  private_subnet_ids              = module.network.private_subnet_ids
  load_balancer_security_group_id = module.network.load_balancer_security_group_id
  tasks_security_group_id         = module.network.tasks_security_group_id

  database = module.database

  task_definition_file = "${path.root}/../../task-definition.json"
  task_size            = var.task_size
  image_tag            = var.image_tag
  environment          = var.environment
  tasks                = var.tasks
  requests_per_task    = var.requests_per_task
  requests_per_address = var.requests_per_address

  kms_key_arn         = aws_kms_key.this.arn
  alarm_topic_arn     = aws_sns_topic.alarms.arn
  log_retention_days  = var.log_retention_days
  deletion_protection = var.deletion_protection
}
