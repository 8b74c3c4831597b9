"""Deliberate mistakes, and the rule that must catch each of them.

Each mistake is made in a copy. Those in Terraform's files share one copy, which is applied to the mocked provider once:
a rule catches only its own mistake, so none hides another.
"""

import copy

# In Terraform's files: name, file, what stands there, what is put in its place, the rule, and where it must point if the
# rule is for more than one mistake.
TERRAFORM = [
    ("target type instance", "modules/service/edge.tf", 'target_type          = "ip"', 'target_type          = "instance"', "target-type"),
    ("health check of /ready", "modules/service/edge.tf", '"/health"', '"/ready"', "target-health"),
    ("connections kept five minutes", "modules/service/edge.tf", "deregistration_delay = 30", "deregistration_delay = 300", "deregistration"),
    ("old TLS", "modules/service/edge.tf", "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08", "tls"),
    ("port 80 serves", "modules/service/edge.tf", 'type = "redirect"\n\n    redirect {\n      protocol    = "HTTPS"\n      port        = "443"\n      status_code = "HTTP_301"\n    }', 'type             = "forward"\n    target_group_arn = aws_lb_target_group.this.arn', "redirect"),
    ("no access logs", "modules/service/edge.tf", "enabled = true", "enabled = false", "access-logs"),
    ("invalid headers pass", "modules/service/edge.tf", "drop_invalid_header_fields = true", "drop_invalid_header_fields = false", "invalid-headers"),
    ("idle longer than the service", "modules/service/edge.tf", "idle_timeout               = 60", "idle_timeout               = 120", "keep-alive"),
    ("load balancer inside", "modules/service/edge.tf", "internal           = false", "internal           = true", "public-balancer"),
    ("load balancer can be deleted", "modules/service/edge.tf", "enable_deletion_protection = var.deletion_protection", "enable_deletion_protection = false", "balancer-protection"),
    ("certificate by e-mail", "modules/service/edge.tf", 'validation_method = "DNS"', 'validation_method = "EMAIL"', "certificate"),
    ("tokens in the firewall's log", "modules/service/firewall.tf", '  redacted_fields {\n    single_header {\n      name = "authorization"\n    }\n  }\n', "", "firewall-logs"),
    ("no rules against known bad input", "modules/service/firewall.tf", "AWSManagedRulesKnownBadInputsRuleSet =", "AWSManagedRulesLinuxRuleSet =", "managed-rules"),
    ("floods are counted, not stopped", "modules/service/firewall.tf", "action {\n      block {}", "action {\n      count {}", "rate-rule"),
    ("images are not scanned", "modules/service/repository.tf", "scan_on_push = true", "scan_on_push = false", "image-scan"),
    ("tags can move", "modules/service/repository.tf", '"IMMUTABLE"', '"MUTABLE"', "image-immutable"),
    ("the cluster is called otherwise", "production/variables.tf", '"blog-cluster"', '"blog"', "cluster-name"),
    ("no metrics of tasks", "modules/service/service.tf", 'value = "enabled"', 'value = "disabled"', "insights"),
    ("rollback off", "modules/service/service.tf", "deployment_circuit_breaker {\n    enable   = true\n    rollback = true", "deployment_circuit_breaker {\n    enable   = true\n    rollback = false", "breaker"),
    ("alarms do not roll back", "modules/service/service.tf", "alarms {\n    enable   = true\n    rollback = true", "alarms {\n    enable   = true\n    rollback = false", "deployment-alarms"),
    ("a deployment takes half the tasks", "modules/service/service.tf", "deployment_minimum_healthy_percent = 100", "deployment_minimum_healthy_percent = 50", "capacity"),
    ("grace period 0", "modules/service/service.tf", "health_check_grace_period_seconds  = 60", "health_check_grace_period_seconds  = 0", "grace"),
    ("zones are not balanced again", "modules/service/service.tf", '"ENABLED"', '"DISABLED"', "rebalancing"),
    ("one task", "modules/service/service.tf", "desired_count   = var.tasks.min", "desired_count   = 1", "two-tasks"),
    ("tasks with public addresses", "modules/service/service.tf", "assign_public_ip = false", "assign_public_ip = true", "public-address"),
    ("tasks in the public subnets", "production/main.tf", "= module.network.private_subnet_ids", "= module.network.public_subnet_ids", "private-subnets"),
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
    ("a wildcard in a policy", "modules/service/roles.tf", "        Resource = aws_ecr_repository.this.arn", '        Resource = "*"', "wildcard@policy.execution"),
    ("no right to make the log group", "modules/service/roles.tf", '          "logs:CreateLogGroup",\n', "", "execution-rights"),
    ("scaling up to 4", "modules/service/autoscaling.tf", "var.tasks.max", "4", "scaling-range"),
    ("scaling at 90 % of CPU", "modules/service/autoscaling.tf", "target_value       = 60", "target_value       = 90", "scaling-cpu"),
    ("errors sought in text", "modules/service/alarms.tf", '"{ $.level = \\"ERROR\\" }"', '"ERROR"', "log-errors"),
    ("an alarm that tells nobody", "modules/service/alarms.tf", 'metric_name         = "UnHealthyHostCount"\n  dimensions          = local.target\n  statistic           = "Maximum"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = "GreaterThanThreshold"\n  threshold           = 0\n  treat_missing_data  = "notBreaching"\n\n  alarm_actions = [var.alarm_topic_arn]', 'metric_name         = "UnHealthyHostCount"\n  dimensions          = local.target\n  statistic           = "Maximum"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = "GreaterThanThreshold"\n  threshold           = 0\n  treat_missing_data  = "notBreaching"\n\n  alarm_actions = []', "alarm-actions"),
    ("no alarm on storage", "modules/database/alarms.tf", '"${var.name}-database-storage"', '"${var.name}-database-disk"', "alarms"),
    ("the database in one zone", "modules/database/main.tf", "multi_az               = true", "multi_az               = false", "multi-az"),
    ("storage in the clear", "modules/database/main.tf", "storage_encrypted     = true\n", "storage_encrypted     = false\n", "storage-encrypted"),
    ("a master password of our own", "modules/database/main.tf", "manage_master_user_password   = true\n  master_user_secret_kms_key_id = var.kms_key_arn", 'password                      = "correct-horse"', "master-password"),
    ("a day of backups", "modules/database/main.tf", "backup_retention_period   = 7", "backup_retention_period   = 1", "backups"),
    ("the database can be deleted", "modules/database/main.tf", "  deletion_protection       = var.deletion_protection\n", "  deletion_protection       = false\n", "deletion-protection"),
    ("no last snapshot", "modules/database/main.tf", "= !var.deletion_protection\n  final", "= true\n  final", "final-snapshot"),
    ("a public database", "modules/database/main.tf", "publicly_accessible    = false", "publicly_accessible    = true", "private-database"),
    ("connections in the clear", "modules/database/main.tf", 'name  = "rds.force_ssl"\n    value = "1"', 'name  = "rds.force_ssl"\n    value = "0"', "force-ssl"),
    ("PostgreSQL 16", "modules/database/main.tf", 'engine_version              = "17"', 'engine_version              = "16"', "postgres"),
    ("a named certificate authority", "modules/database/main.tf", "  port                   = 5432\n", '  port                   = 5432\n  ca_cert_identifier     = "rds-ca-2019"\n', "certificate-authority"),
    ("the database open to the world", "modules/network/security_groups.tf", '  description                  = "PostgreSQL from the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id', '  description                  = "PostgreSQL from the tasks"\n  cidr_ipv4                    = "0.0.0.0/0"', "ingress@0.0.0.0/0 may reach database"),
    ("tasks open to the world", "modules/network/security_groups.tf", '  description                  = "Requests and health checks from the load balancer"\n  referenced_security_group_id = aws_security_group.load_balancer.id', '  description                  = "Requests and health checks from the load balancer"\n  cidr_ipv4                    = "0.0.0.0/0"', "ingress@0.0.0.0/0 may reach tasks"),
    ("the load balancer cannot reach the tasks", "modules/network/security_groups.tf", '  description                  = "Requests and health checks to the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id\n  ip_protocol                  = "tcp"\n  from_port                    = 8000\n  to_port                      = 8000', '  description                  = "Requests and health checks to the tasks"\n  referenced_security_group_id = aws_security_group.tasks.id\n  ip_protocol                  = "tcp"\n  from_port                    = 80\n  to_port                      = 80', "egress@load_balancer cannot reach tasks"),
    ("a way out for the database", "modules/network/routes.tf", "  route_table_id         = aws_route_table.public.id\n  destination", "  route_table_id         = aws_route_table.database.id\n  destination", "database-route"),
    ("subnets of another plan", "modules/network/main.tf", "20 + each.value", "30 + each.value", "subnets"),
    ("subnets in one zone", "modules/network/main.tf", "  availability_zone = each.key\n  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)", "  availability_zone = var.availability_zones[0]\n  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)", "zones"),
    ("only what is refused is logged", "modules/network/flow_logs.tf", '"ALL"', '"REJECT"', "flow-logs"),
    ("a key for ever", "production/encryption.tf", "enable_key_rotation = true", "enable_key_rotation = false", "key-rotation"),
    ("alarms in the clear", "production/alarms.tf", "  kms_master_key_id = aws_kms_key.this.id\n", "", "topic-key"),
    ("no lock on the state", "production/versions.tf", "use_lockfile = true", "use_lockfile = false", "lockfile"),
    ("whatever provider there is", "production/versions.tf", '"5.100.0"', '">= 5.100.0"', "pinned"),
    ("roles passed to anything", "bootstrap/deploy_role.tf", '"iam:PassedToService" = "ecs-tasks.amazonaws.com"', '"iam:PassedToService" = "ec2.amazonaws.com"', "pass-to"),
    ("every role can be passed", "bootstrap/deploy_role.tf", "Resource = local.task_roles\n", 'Resource = "*"\n', "pass-role"),
    ("every branch deploys", "bootstrap/deploy_role.tf", ":environment:${var.github_environment}", ":*", "deploy-trust"),
    ("the deploy role cannot migrate", "bootstrap/deploy_role.tf", '"ecs:RunTask"', '"ecs:StopTask"', "deploy-needs"),
    ("the deploy role rolls every service", "bootstrap/deploy_role.tf", ":service/${var.cluster}/${var.name}", ":service/${var.cluster}/*", "deploy-service"),
    ("the deploy role reads secrets", "bootstrap/deploy_role.tf", '"secretsmanager:DescribeSecret"', '"secretsmanager:GetSecretValue"', "deploy-rights"),
    ("states without versions", "bootstrap/state.tf", 'versioning_configuration {\n    status = "Enabled"', 'versioning_configuration {\n    status = "Suspended"', "state-versions"),
    ("states with S3's own key", "bootstrap/state.tf", '"aws:kms"', '"AES256"', "state-encrypted"),
    ("a public state", "bootstrap/state.tf", "block_public_policy     = true", "block_public_policy     = false", "buckets-private@state"),
]

# What Terraform itself must refuse: name, file, what stands there, what is put in its place, what Terraform says.
REFUSED = [
    ("an unknown argument", "modules/service/service.tf", "propagate_tags ", "propagate_labels ", "Unsupported argument"),
]


def container(**changes):
    def change(definition):
        definition["containerDefinitions"][0].update(changes)

    return change


def container_health(**changes):
    def change(definition):
        definition["containerDefinitions"][0]["healthCheck"].update(changes)

    return change


def task(**changes):
    def change(definition):
        definition.update(changes)

    return change


def without(key):
    return lambda definition: definition.pop(key)


def variable(name, value):
    def change(definition):
        environment = definition["containerDefinitions"][0]["environment"]
        environment[:] = [one for one in environment if one["name"] != name] + [{"name": name, "value": value}]

    return change


def log_mode(definition):
    definition["containerDefinitions"][0]["logConfiguration"]["options"]["mode"] = "blocking"


# In task-definition.json: name, the change, the rule.
TASK = [
    ("512 CPU units with 512 MiB", task(memory="512"), "E3047"),
    ("256 CPU units with 4 GiB", task(cpu="256", memory="4096"), "E3047"),
    ("an unknown key", container(memmory=512), "botocore"),
    ("a number for a word", task(cpu=512), "botocore"),
    ("an unknown network mode", task(networkMode="awsvcp"), "E3030"),
    ("bridge network", task(networkMode="bridge"), "fargate"),
    ("missing execution role", without("executionRoleArn"), "execution-role"),
    ("missing task role", without("taskRoleArn"), "task-role"),
    ("one role for both", task(taskRoleArn="arn:aws:iam::123456789012:role/blog-api-execution"), "one-role-for-both"),
    ("tag latest", container(image="123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/blog-api:latest"), "image-tag"),
    ("no tag", container(image="123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/blog-api"), "image-tag"),
    ("ARM", task(runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"}), "architecture"),
    ("the only container is not essential", container(essential=False), "essential"),
    ("stopTimeout over 120", container(stopTimeout=180), "stop-timeout"),
    ("stopTimeout shorter than a stop", container(stopTimeout=30), "stop-timeout"),
    ("health check each second", container_health(interval=1), "health-range"),
    ("eleven retries", container_health(retries=11), "health-range"),
    ("a check longer than its interval", container_health(timeout=20), "health-overlap"),
    ("curl, which the image lacks", container_health(command=["CMD-SHELL", "curl -f http://127.0.0.1:8000/health"]), "health-command"),
    ("no health check", lambda definition: definition["containerDefinitions"][0].pop("healthCheck"), "health-check"),
    ("root", container(user="0:0"), "user"),
    ("a file system to write to", container(readonlyRootFilesystem=False), "readonly"),
    ("all capabilities", container(linuxParameters={"initProcessEnabled": True}), "capabilities"),
    ("another port", container(portMappings=[{"containerPort": 8080, "protocol": "tcp"}]), "port"),
    ("a password in the environment", variable("DATABASE_URL", "postgres://blog:secret@db/blog"), "password-in-environment"),
    ("development", variable("ENVIRONMENT", "development"), "environment"),
    ("no secret", variable("DB_SECRET_ID", ""), "secret-id"),
    ("logs that block", log_mode, "log-mode"),
    ("logs to nowhere", lambda definition: definition["containerDefinitions"][0].pop("logConfiguration"), "logs"),
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
