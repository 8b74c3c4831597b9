"""Deliberate mistakes, and the rule or the check of checkov (CKV…) that must catch each of them.

Each mistake is made in a copy. Those in Terraform's files share two: one that checkov reads, and one that is applied to the
mocked provider. A rule catches only its own mistake, so none hides another.
"""

import copy

from changes import add, drop, put

# In Terraform's files: name, file, what stands there, what is put in its place, the rule, and where it must point if the
# rule is for more than one mistake.
TERRAFORM = [
    ("target type instance", "modules/service/edge.tf", 'target_type          = "ip"', 'target_type          = "instance"', "target-type"),
    ("health check of /ready", "modules/service/edge.tf", '"/health"', '"/ready"', "target-health"),
    ("connections kept five minutes", "modules/service/edge.tf", "deregistration_delay = 30", "deregistration_delay = 300", "deregistration"),
    ("old TLS", "modules/service/edge.tf", "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08", "CKV_AWS_103@https"),
    ("443 answers by itself", "modules/service/edge.tf", 'type             = "forward"', 'type             = "fixed-response"', "forward"),
    ("tasks are spoken to in TLS", "modules/service/edge.tf", 'protocol             = "HTTP"', 'protocol             = "HTTPS"', "target-port"),
    ("the domain leads elsewhere", "modules/service/edge.tf", "name                   = aws_lb.this.dns_name", "name                   = var.domain_name", "alias"),
    ("a certificate that is not issued yet", "modules/service/edge.tf", "aws_acm_certificate_validation.this.certificate_arn", "aws_acm_certificate.this.arn", "certificate-issued"),
    ("the firewall refuses everybody", "modules/service/firewall.tf", "default_action {\n    allow {}", "default_action {\n    block {}", "firewall-default"),
    ("a firewall before nothing", "modules/service/firewall.tf", 'resource "aws_wafv2_web_acl_association" "this" {\n  resource_arn = aws_lb.this.arn\n  web_acl_arn  = aws_wafv2_web_acl.this.arn\n}\n', "", "firewall"),
    ("port 80 serves", "modules/service/edge.tf", 'type = "redirect"\n\n    redirect {\n      protocol    = "HTTPS"\n      port        = "443"\n      status_code = "HTTP_301"\n    }', 'type             = "forward"\n    target_group_arn = aws_lb_target_group.this.arn', "CKV_AWS_2@http"),
    ("no access logs", "modules/service/edge.tf", "enabled = true", "enabled = false", "CKV_AWS_91"),
    ("invalid headers pass", "modules/service/edge.tf", "drop_invalid_header_fields = true", "drop_invalid_header_fields = false", "CKV_AWS_131"),
    ("idle longer than the service", "modules/service/edge.tf", "idle_timeout               = 60", "idle_timeout               = 120", "keep-alive"),
    ("load balancer inside", "modules/service/edge.tf", "internal           = false", "internal           = true", "public-balancer"),
    ("load balancer can be deleted", "modules/service/edge.tf", "enable_deletion_protection = var.deletion_protection", "enable_deletion_protection = false", "CKV_AWS_150"),
    ("certificate by e-mail", "modules/service/edge.tf", 'validation_method = "DNS"', 'validation_method = "EMAIL"', "certificate"),
    ("tokens in the firewall's log", "modules/service/firewall.tf", '  redacted_fields {\n    single_header {\n      name = "authorization"\n    }\n  }\n', "", "firewall-logs"),
    ("no rules against known bad input", "modules/service/firewall.tf", "AWSManagedRulesKnownBadInputsRuleSet =", "AWSManagedRulesLinuxRuleSet =", "managed-rules"),
    ("posts about markup are refused", "modules/service/firewall.tf", '      "CrossSiteScripting_BODY",\n', "", "bodies-counted"),
    ("floods are counted, not stopped", "modules/service/firewall.tf", "action {\n      block {}", "action {\n      count {}", "rate-rule"),
    ("images are not scanned", "modules/service/repository.tf", "scan_on_push = true", "scan_on_push = false", "CKV_AWS_163"),
    ("tags can move", "modules/service/repository.tf", '"IMMUTABLE"', '"MUTABLE"', "CKV_AWS_51"),
    ("one image to roll back to", "modules/service/repository.tf", "countNumber = 50", "countNumber = 1", "image-lifecycle"),
    ("instances", "modules/service/service.tf", 'launch_type     = "FARGATE"', 'launch_type     = "EC2"', "fargate-service"),
    ("the cluster is called otherwise", "production/variables.tf", '"blog-cluster"', '"blog"', "cluster-name"),
    ("no metrics of tasks", "modules/service/service.tf", 'value = "enabled"', 'value = "disabled"', "CKV_AWS_65"),
    ("rollback off", "modules/service/service.tf", "deployment_circuit_breaker {\n    enable   = true\n    rollback = true", "deployment_circuit_breaker {\n    enable   = true\n    rollback = false", "breaker"),
    ("alarms do not roll back", "modules/service/service.tf", "alarms {\n    enable   = true\n    rollback = true", "alarms {\n    enable   = true\n    rollback = false", "deployment-alarms"),
    ("a deployment takes half the tasks", "modules/service/service.tf", "deployment_minimum_healthy_percent = 100", "deployment_minimum_healthy_percent = 50", "capacity"),
    ("grace period 0", "modules/service/service.tf", "health_check_grace_period_seconds  = 60", "health_check_grace_period_seconds  = 0", "grace"),
    ("zones are not balanced again", "modules/service/service.tf", '"ENABLED"', '"DISABLED"', "rebalancing"),
    ("one task", "modules/service/service.tf", "desired_count   = var.tasks.min", "desired_count   = 1", "two-tasks"),
    ("tasks with public addresses", "modules/service/service.tf", "assign_public_ip = false", "assign_public_ip = true", "CKV_AWS_333"),
    ("tasks in the public subnets", "production/main.tf", "= module.network.private_subnet_ids", "= module.network.public_subnet_ids", "tasks-subnets"),
    ("service before its listener", "modules/service/service.tf", "    aws_lb_listener.https,\n", "", "listener-first"),
    ("service on port 80", "modules/service/service.tf", "local.container.portMappings[0].containerPort", "80", "ports"),
    ("Terraform takes deployments back", "modules/service/service.tf", "[task_definition, desired_count]", "[desired_count]", "ignore-changes"),
    ("logs for ever", "modules/service/service.tf", '"/ecs/${var.name}"\n  retention_in_days = var.log_retention_days', '"/ecs/${var.name}"\n  retention_in_days = 0', "retention"),
    ("old revisions go", "modules/service/tasks.tf", "  # Revisions stay, to be rolled back to.\n  skip_destroy = true", "  skip_destroy = false", "keep-revisions"),
    ("the service owns the schema", "modules/service/tasks.tf", "serve = merge(local.settings, {\n      DB_SECRET_ID = var.database.application_secret_arn", "serve = merge(local.settings, {\n      DB_SECRET_ID = var.database.master_secret_arn", "serve-environment"),
    ("the migrating task serves", "modules/service/tasks.tf", '["migrate"]', '["serve"]', "migrate-environment"),
    ("the task migrates with the wrong role", "modules/service/tasks.tf", "aws_iam_role.migrate.arn", "aws_iam_role.execution.arn", "migrate-roles"),
    ("no execution role", "modules/service/tasks.tf", "  execution_role_arn       = aws_iam_role.execution.arn\n  task_role_arn            = aws_iam_role.task.arn\n", "  task_role_arn            = aws_iam_role.task.arn\n", "serve-roles"),
    ("logs to another group", "modules/service/tasks.tf", "awslogs-group  = aws_cloudwatch_log_group.this.name", 'awslogs-group  = "/ecs/other"', "log-group"),
    ("the service may read the master secret", "modules/service/roles.tf", "task    = [var.database.application_secret_arn]", "task    = [var.database.application_secret_arn, var.database.master_secret_arn]", "task-secrets"),
    ("migrations may not read the master secret", "modules/service/roles.tf", "migrate = [var.database.application_secret_arn, var.database.master_secret_arn]", "migrate = [var.database.application_secret_arn]", "migrate-secrets"),
    ("administration signs in as the owner", "modules/service/tasks.tf", "admin = merge(local.settings, {\n      DB_SECRET_ID = var.database.application_secret_arn", "admin = merge(local.settings, {\n      DB_SECRET_ID = var.database.master_secret_arn", "admin-environment"),
    ("administration serves", "modules/service/tasks.tf", '["users", "list"]', '["serve"]', "admin-environment"),
    ("administration with the role that migrates", "modules/service/tasks.tf", "aws_iam_role.admin.arn", "aws_iam_role.migrate.arn", "admin-roles"),
    ("administration may read the master secret", "modules/service/roles.tf", "admin = [var.database.application_secret_arn,", "admin = [var.database.master_secret_arn,", "admin-secrets"),
    ("administration may read every secret", "modules/service/roles.tf", ":${var.name}/admin/*", ":*", "admin-secrets"),
    ("a wildcard in a policy", "modules/service/roles.tf", "        Resource = aws_ecr_repository.this.arn", '        Resource = "*"', "wildcard@policy.execution"),
    ("no right to make the log group", "modules/service/roles.tf", '          "logs:CreateLogGroup",\n', "", "execution-rights"),
    ("scaling up to 4", "modules/service/autoscaling.tf", "var.tasks.max", "4", "scaling-range"),
    ("scaling at 90 % of CPU", "modules/service/autoscaling.tf", "target_value       = 60", "target_value       = 90", "scaling-cpu"),
    ("scaling by the requests of nobody", "modules/service/autoscaling.tf", "${aws_lb.this.arn_suffix}/", "${aws_lb.this.arn}/", "scaling-requests"),
    ("anybody may be a task", "modules/service/roles.tf", 'Principal = { Service = "ecs-tasks.amazonaws.com" }', 'Principal = { AWS = "*" }', "CKV_AWS_60@role.task"),
    ("flow logs for another account", "modules/network/flow_logs.tf", '      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }\n', "", "trust-account@role.flow"),
    ("tasks list secrets", "modules/service/roles.tf", '"secretsmanager:GetSecretValue"', '["secretsmanager:GetSecretValue", "secretsmanager:ListSecrets"]', "task-rights"),
    ("a secret that cannot be decrypted", "modules/service/roles.tf", '"kms:Decrypt"', '"kms:Encrypt"', "task-key"),
    ("an alarm on a metric that nobody writes", "modules/service/alarms.tf", '"TargetResponseTime"', '"TargetResponseTimes"', "alarm-metrics@p99"),
    ("an alarm on a rule that is not there", "modules/service/alarms.tf", "aws_cloudwatch_event_rule.stopped_tasks.name", "aws_cloudwatch_event_rule.stopped_tasks.arn", "alarm-metrics@task-restarts"),
    ("no alarm when every task is gone", "modules/service/alarms.tf", '"HealthyHostCount"', '"UnHealthyHostCount"', "alarm-subject@no-healthy-target"),
    ("an alarm when all is well", "modules/service/alarms.tf", '"LessThanThreshold"', '"GreaterThanThreshold"', "alarm-direction@no-healthy-target"),
    ("the service's numbers go astray", "modules/service/tasks.tf", "METRICS_NAMESPACE = local.namespace", 'METRICS_NAMESPACE = "elsewhere"', "own-metrics"),
    ("a graph of nothing", "modules/service/dashboard.tf", '"MemoryUtilization"', '"MemoryUsage"', "dashboard-metrics"),
    ("latency of a field that no line has", "modules/service/alarms.tf", '"$.latency_ms"', '"$.latency"', "log-latency"),
    ("latency of another log", "modules/service/alarms.tf", 'log_group_name = aws_cloudwatch_log_group.this.name\n  pattern        = "{ $.latency_ms', 'log_group_name = aws_cloudwatch_log_group.stopped_tasks.name\n  pattern        = "{ $.latency_ms', "filtered-logs"),
    ("stopped tasks of another service", "modules/service/stopped_tasks.tf", '"service:${aws_ecs_service.this.name}"', '"service:api"', "stopped-tasks"),
    ("nobody is told of alarms", "production/alarms.tf", "count = var.alarm_email == null ? 0 : 1", "count = 0", "alarm-email"),
    ("logs that the key is closed to", "production/encryption.tf", '"logs.${var.region}.amazonaws.com"', '"logs.example.com"', "key-users"),
    ("why tasks stopped, in the clear", "modules/service/stopped_tasks.tf", "  kms_key_id        = var.kms_key_arn\n", "", "CKV_AWS_158@stopped_tasks"),
    ("errors sought in text", "modules/service/alarms.tf", '"{ $.level = \\"ERROR\\" }"', '"ERROR"', "log-errors"),
    ("an alarm that tells nobody", "modules/service/alarms.tf", 'metric_name         = "UnHealthyHostCount"\n  dimensions          = local.target\n  statistic           = "Maximum"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = "GreaterThanThreshold"\n  threshold           = 0\n  treat_missing_data  = "notBreaching"\n\n  alarm_actions = [var.alarm_topic_arn]', 'metric_name         = "UnHealthyHostCount"\n  dimensions          = local.target\n  statistic           = "Maximum"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = "GreaterThanThreshold"\n  threshold           = 0\n  treat_missing_data  = "notBreaching"\n\n  alarm_actions = []', "alarm-actions"),
    ("no alarm on storage", "modules/database/alarms.tf", '"${var.name}-database-storage"', '"${var.name}-database-disk"', "alarms"),
    ("the database in one zone", "modules/database/main.tf", "multi_az               = true", "multi_az               = false", "CKV_AWS_157"),
    ("storage in the clear", "modules/database/main.tf", "storage_encrypted     = true\n", "storage_encrypted     = false\n", "CKV_AWS_16"),
    ("a master password of our own", "modules/database/main.tf", "manage_master_user_password   = true\n  master_user_secret_kms_key_id = var.kms_key_arn", 'password                      = "correct-horse"', "master-password"),
    ("a day of backups", "modules/database/main.tf", "backup_retention_period   = 7", "backup_retention_period   = 1", "backups"),
    ("a secret of the account's key", "modules/database/secret.tf", "  kms_key_id  = var.kms_key_arn\n", "", "CKV_AWS_149"),
    ("a password in the state", "modules/database/secret.tf", '  secret_string_wo = jsonencode({\n    username = "blog_api"\n    password = local.application_password\n    host     = aws_db_instance.this.address\n    port     = aws_db_instance.this.port\n    dbname   = aws_db_instance.this.db_name\n  })\n  secret_string_wo_version = var.application_password_version\n', '  secret_string = jsonencode({\n    username = "blog_api"\n    password = local.application_password\n    host     = aws_db_instance.this.address\n    port     = aws_db_instance.this.port\n    dbname   = aws_db_instance.this.db_name\n  })\n', "password-in-state"),
    ("the parameters of everybody", "modules/database/main.tf", "aws_db_parameter_group.this.name", '"default.postgres17"', "parameters-used"),
    ("slow statements are not logged", "modules/database/main.tf", '    value = "1000"', '    value = "-1"', "slow-statements"),
    ("no performance insights", "modules/database/main.tf", "performance_insights_enabled    = true", "performance_insights_enabled    = false", "CKV_AWS_353"),
    ("no enhanced monitoring", "modules/database/main.tf", "monitoring_interval             = 60", "monitoring_interval             = 0", "CKV_AWS_118"),
    ("the database can be deleted", "modules/database/main.tf", "  deletion_protection       = var.deletion_protection\n", "  deletion_protection       = false\n", "CKV_AWS_293"),
    ("no last snapshot", "modules/database/main.tf", "= !var.deletion_protection\n  final", "= true\n  final", "final-snapshot"),
    ("a public database", "modules/database/main.tf", "publicly_accessible    = false", "publicly_accessible    = true", "CKV_AWS_17"),
    ("connections in the clear", "modules/database/main.tf", 'name  = "rds.force_ssl"\n    value = "1"', 'name  = "rds.force_ssl"\n    value = "0"', "force-ssl"),
    ("PostgreSQL 16", "modules/database/main.tf", 'engine_version              = "17"', 'engine_version              = "16"', "postgres"),
    ("a named certificate authority", "modules/database/main.tf", "  port                   = 5432\n", '  port                   = 5432\n  ca_cert_identifier     = "rds-ca-2019"\n', "certificate-authority"),
    ("the database open to the world", "modules/network/security_groups.tf", '  description                  = "PostgreSQL from the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id', '  description                  = "PostgreSQL from the tasks"\n  cidr_ipv4                    = "0.0.0.0/0"', "ingress@0.0.0.0/0 may reach database"),
    ("tasks open to the world", "modules/network/security_groups.tf", '  description                  = "Requests and health checks from the load balancer"\n  referenced_security_group_id = aws_security_group.load_balancer.id', '  description                  = "Requests and health checks from the load balancer"\n  cidr_ipv4                    = "0.0.0.0/0"', "ingress@0.0.0.0/0 may reach tasks"),
    ("the load balancer cannot reach the tasks", "modules/network/security_groups.tf", '  description                  = "Requests and health checks to the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id\n  ip_protocol                  = "tcp"\n  from_port                    = 8000\n  to_port                      = 8000', '  description                  = "Requests and health checks to the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id\n  ip_protocol                  = "tcp"\n  from_port                    = 80\n  to_port                      = 80', "egress@load_balancer cannot reach tasks"),
    ("a way out for the database", "modules/network/routes.tf", "  route_table_id = aws_route_table.database.id\n", "  route_table_id = aws_route_table.public.id\n", "database-route"),
    ("the internet by way of NAT", "modules/network/routes.tf", "  gateway_id             = aws_internet_gateway.this.id\n", "  nat_gateway_id         = aws_nat_gateway.this[local.nat_zones[0]].id\n", "public-route"),
    ("tasks behind the internet gateway", "modules/network/routes.tf", "  nat_gateway_id = try(aws_nat_gateway.this[each.key], aws_nat_gateway.this[local.nat_zones[0]]).id\n", "  gateway_id = aws_internet_gateway.this.id\n", "private-route"),
    ("NAT in a private subnet", "modules/network/routes.tf", "  subnet_id     = aws_subnet.public[each.key].id\n", "  subnet_id     = aws_subnet.private[each.key].id\n", "nat-place"),
    ("image layers through NAT", "modules/network/endpoints.tf", "[for table in aws_route_table.private : table.id]", "[aws_route_table.public.id]", "s3-endpoint"),
    ("a rule where nobody looks for it", "modules/network/security_groups.tf", '  tags = { Name = "${var.name}-endpoints" }\n', '  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = "tcp"\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n', "rules-apart"),
    ("public addresses by default", "modules/network/main.tf", "cidrsubnet(var.cidr, 8, each.value)\n", "cidrsubnet(var.cidr, 8, each.value)\n  map_public_ip_on_launch = true\n", "CKV_AWS_130@subnet.public"),
    ("the load balancer in private subnets", "production/main.tf", "public_subnet_ids               = module.network.public_subnet_ids", "public_subnet_ids               = module.network.database_subnet_ids", "balancer-subnets"),
    ("the database among the tasks", "production/main.tf", "= module.network.database_subnet_ids\n  security_group_id ", "= module.network.private_subnet_ids\n  security_group_id ", "database-subnets"),
    ("the database in the tasks' group", "production/main.tf", "= module.network.database_security_group_id", "= module.network.tasks_security_group_id", "database-group"),
    ("the load balancer in the database's group", "production/main.tf", "= module.network.load_balancer_security_group_id", "= module.network.database_security_group_id", "balancer-group"),
    ("tasks in the load balancer's group", "modules/service/service.tf", "[var.tasks_security_group_id]", "[var.load_balancer_security_group_id]", "tasks-group"),
    ("subnets of another plan", "modules/network/main.tf", "20 + each.value", "30 + each.value", "subnets"),
    ("subnets in one zone", "modules/network/main.tf", "  availability_zone = each.key\n  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)", "  availability_zone = var.availability_zones[0]\n  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)", "zones"),
    ("only what is refused is logged", "modules/network/flow_logs.tf", '"ALL"', '"REJECT"', "flow-logs"),
    ("a key for ever", "production/encryption.tf", "enable_key_rotation = true", "enable_key_rotation = false", "CKV_AWS_7"),
    ("alarms in the clear", "production/alarms.tf", "  kms_master_key_id = aws_kms_key.this.id\n", "", "CKV_AWS_26"),
    ("no lock on the state", "production/versions.tf", "use_lockfile = true", "use_lockfile = false", "lockfile"),
    ("whatever provider there is", "production/versions.tf", '"5.100.0"', '">= 5.100.0"', "pinned"),
    ("a provider by another name", "modules/database/versions.tf", '"hashicorp/aws"', '"registry.terraform.io/hashicorp/aws"', "local-modules"),
    ("an example of a variable that is not there", "production/terraform.tfvars.example", "zone_id     =", "hosted_zone =", "examples"),
    ("the workflow in another environment", "../.github/workflows/deploy.yml", "environment: production #", "environment: staging #", "workflow-environment"),
    ("a workflow without an identity", "../.github/workflows/deploy.yml", "id-token: write", "id-token: none", "workflow-token"),
    ("an action of whoever moves its tag", "../.github/workflows/deploy.yml", "actions/checkout@11d5960a326750d5838078e36cf38b85af677262", "actions/checkout@v4", "actions-pinned"),
    ("others than GitHub deploy", "bootstrap/deploy_role.tf", "Federated = aws_iam_openid_connect_provider.github.arn", 'Federated = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"', "deploy-provider"),
    ("the deploy role runs tasks in any cluster", "bootstrap/deploy_role.tf", '-migrate:*"\n        Condition = {\n          ArnEquals = { "ecs:cluster" = "${local.in_ecs}:cluster/${var.cluster}" }\n        }\n', '-migrate:*"\n', "deploy-runs"),
    ("states go with their bucket", "bootstrap/state.tf", "force_destroy = !var.deletion_protection", "force_destroy = true", "state-kept"),
    ("roles passed to anything", "bootstrap/deploy_role.tf", '"iam:PassedToService" = "ecs-tasks.amazonaws.com"', '"iam:PassedToService" = "ec2.amazonaws.com"', "pass-to"),
    ("every role can be passed", "bootstrap/deploy_role.tf", "Resource = local.task_roles\n", 'Resource = "*"\n', "pass-role"),
    ("every branch deploys", "bootstrap/deploy_role.tf", ":environment:${var.github_environment}", ":*", "deploy-trust"),
    ("the deploy role cannot follow tasks", "bootstrap/deploy_role.tf", '"ecs:DescribeTasks"', '"ecs:StopTask"', "deploy-needs@DescribeTasks"),
    ("the deploy role rolls every service", "bootstrap/deploy_role.tf", ":service/${var.cluster}/${var.name}", ":service/${var.cluster}/*", "deploy-service"),
    ("the deploy role reads secrets", "bootstrap/deploy_role.tf", '"secretsmanager:DescribeSecret"', '"secretsmanager:GetSecretValue"', "deploy-rights@GetSecretValue"),
    ("states without versions", "bootstrap/state.tf", 'versioning_configuration {\n    status = "Enabled"', 'versioning_configuration {\n    status = "Suspended"', "CKV_AWS_21@state"),
    ("states with S3's own key", "bootstrap/state.tf", '"aws:kms"', '"AES256"', "CKV_AWS_145@state"),
    ("a public state", "bootstrap/state.tf", "block_public_policy     = true", "block_public_policy     = false", "CKV_AWS_54@state"),
]

# What Terraform itself must refuse: name, file, what stands there, what is put in its place, what Terraform says.
REFUSED = [
    ("an unknown argument", "modules/service/service.tf", "propagate_tags ", "propagate_labels ", "Unsupported argument"),
]


BOX = "containerDefinitions.0"


def variable(name, value):
    def change(definition):
        environment = definition["containerDefinitions"][0]["environment"]
        environment[:] = [one for one in environment if one["name"] != name] + [{"name": name, "value": value}]

    return change


# In task-definition.json: name, the change, the rule.
TASK = [
    ("512 CPU units with 512 MiB", put("memory", "512"), "E3047"),
    ("256 CPU units with 4 GiB", lambda definition: definition.update(cpu="256", memory="4096"), "E3047"),
    ("an unknown key", put(f"{BOX}.memmory", 512), "botocore"),
    ("a number for a word", put("cpu", 512), "botocore"),
    ("an unknown network mode", put("networkMode", "awsvcp"), "E3030"),
    ("bridge network", put("networkMode", "bridge"), "fargate"),
    ("missing execution role", drop("executionRoleArn"), "execution-role"),
    ("missing task role", drop("taskRoleArn"), "task-role"),
    ("one role for both", put("taskRoleArn", "arn:aws:iam::123456789012:role/blog-api-execution"), "one-role-for-both"),
    ("tag latest", put(f"{BOX}.image", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/blog-api:latest"), "image-tag"),
    ("no tag", put(f"{BOX}.image", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/blog-api"), "image-tag"),
    ("ARM", put("runtimePlatform", {"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"}), "architecture"),
    ("the only container is not essential", put(f"{BOX}.essential", False), "essential"),
    ("stopTimeout over 120", put(f"{BOX}.stopTimeout", 180), "stop-timeout"),
    ("stopTimeout shorter than a stop", put(f"{BOX}.stopTimeout", 30), "stop-timeout"),
    ("health check each second", put(f"{BOX}.healthCheck.interval", 1), "health-range"),
    ("eleven retries", put(f"{BOX}.healthCheck.retries", 11), "health-range"),
    ("a check longer than its interval", put(f"{BOX}.healthCheck.timeout", 20), "health-overlap"),
    ("curl, which the image lacks", put(f"{BOX}.healthCheck.command", ["CMD-SHELL", "curl -f http://127.0.0.1:8000/health"]), "health-command"),
    ("no health check", drop(f"{BOX}.healthCheck"), "health-check"),
    ("root", put(f"{BOX}.user", "0:0"), "user"),
    ("a file system to write to", put(f"{BOX}.readonlyRootFilesystem", False), "readonly"),
    ("all capabilities", put(f"{BOX}.linuxParameters", {"initProcessEnabled": True}), "capabilities"),
    ("another port", put(f"{BOX}.portMappings", [{"containerPort": 8080, "protocol": "tcp"}]), "port"),
    ("a password in the environment", variable("DATABASE_URL", "postgres://blog:secret@db/blog"), "password-in-environment"),
    ("development", variable("ENVIRONMENT", "development"), "environment"),
    ("a variable twice", add(f"{BOX}.environment", {"name": "LOG_LEVEL", "value": "debug"}), "environment-twice"),
    ("clients choose their address", variable("TRUSTED_PROXY_HOPS", "2"), "proxy-hops"),
    ("a longer stop than stopTimeout", variable("SHUTDOWN_TIMEOUT", "75"), "stop-timeout"),
    ("no secret", variable("DB_SECRET_ID", ""), "secret-id"),
    ("logs that block", put(f"{BOX}.logConfiguration.options.mode", "blocking"), "log-mode"),
    ("logs to nowhere", drop(f"{BOX}.logConfiguration"), "logs"),
]


def mutated(definition):
    """{name: definition with that one mistake}."""
    changed = {}
    for name, change, _ in TASK:
        changed[name] = copy.deepcopy(definition)
        change(changed[name])
    return changed


def make(mistakes, infra):
    """Makes them all in one copy. Each must be about one place, and still find it."""
    for name, path, old, new, *_ in mistakes:
        file = infra / path
        text = file.read_text()
        if text.count(old) != 1:
            raise SystemExit(f"mutation {name!r}: {path} has its place {text.count(old)} times, not once")
        file.write_text(text.replace(old, new))
