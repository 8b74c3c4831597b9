# All task definitions are rendered from the repository's task-definition.json: what stands there is not said again
# here. Only what an account decides is put in its place: image, roles, region, values of the environment.
#
# The image tag has one owner, scripts/deploy: it registers new revisions from the newest one with another image, and
# points the service at them. Terraform owns everything else of a task definition. A change here registers a revision
# too, which the next deploy starts from; it names the image that was pushed last.

locals {
  file      = jsondecode(file(var.task_definition_file))
  container = local.file.containerDefinitions[0]
  size = {
    cpu    = coalesce(try(var.task_size.cpu, null), local.file.cpu)
    memory = coalesce(try(var.task_size.memory, null), local.file.memory)
  }

  settings = merge(
    { for variable in local.container.environment : variable.name => variable.value },
    { METRICS_NAMESPACE = local.namespace },
    var.mail == null ? {} : {
      MAIL_URL  = "ses:${aws_sesv2_configuration_set.this[0].configuration_set_name}"
      MAIL_FROM = var.mail.from
      API_URL   = "https://${var.domain_name}"
      # A random token cannot be found from its hash, so that may stand here.
      MAIL_EVENTS_TOKEN_SHA256 = nonsensitive(sha256(terraform_data.mail_events_token[0].triggers_replace))
    },
    var.media == null ? {} : {
      MEDIA_URL        = var.media.url
      MEDIA_PUBLIC_URL = var.media.public_url
    },
    var.environment,
  )

  serving = merge(local.container, {
    image       = "${aws_ecr_repository.this.repository_url}:${terraform_data.image_tag.output}"
    environment = local.environments.serve
    logConfiguration = merge(local.container.logConfiguration, {
      options = merge(local.container.logConfiguration.options, {
        awslogs-group  = aws_cloudwatch_log_group.this.name
        awslogs-region = data.aws_region.current.name
      })
    })
  })

  # The same container, but it serves nobody: it ends by itself and its exit code is the answer. What an administering
  # task does, scripts/run says.
  ending = { for task, command in { migrate = ["migrate"], admin = ["users", "list"] } : task => merge(
    { for key, value in local.serving : key => value if !contains(["portMappings", "healthCheck"], key) },
    {
      command     = command
      environment = local.environments[task]
      logConfiguration = merge(local.serving.logConfiguration, {
        options = merge(local.serving.logConfiguration.options, { awslogs-stream-prefix = task })
      })
    },
  ) }

  environments = { for task, settings in {
    serve = merge(local.settings, {
      DB_SECRET_ID = var.database.application_secret_arn
    })
    admin = merge(local.settings, {
      DB_SECRET_ID = var.database.application_secret_arn
    })
    migrate = merge(local.settings, {
      DB_SECRET_ID     = var.database.master_secret_arn
      DB_APP_SECRET_ID = var.database.application_secret_arn
      DB_HOST          = var.database.address
      DB_PORT          = tostring(var.database.port)
      DB_NAME          = var.database.name
    })
  } : task => [for name, value in settings : { name = name, value = value }] }
}

data "aws_ecr_repository" "this" {
  name = aws_ecr_repository.this.id
}

# Read anew only with a change of settings: a push alone is no reason for a revision.
resource "terraform_data" "image_tag" {
  input            = try(data.aws_ecr_repository.this.most_recent_image_tags[0], var.image_tag)
  triggers_replace = sha256(jsonencode([local.file, local.settings, local.size, var.architecture, var.spot_percent, var.database]))

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_ecs_task_definition" "serve" {
  family                   = var.name
  network_mode             = local.file.networkMode
  requires_compatibilities = local.file.requiresCompatibilities
  cpu                      = local.size.cpu
  memory                   = local.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.serving])

  runtime_platform {
    operating_system_family = local.file.runtimePlatform.operatingSystemFamily
    cpu_architecture        = var.architecture
  }

  # Revisions stay, to be rolled back to.
  skip_destroy = true
}

resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  network_mode             = local.file.networkMode
  requires_compatibilities = local.file.requiresCompatibilities
  cpu                      = local.size.cpu
  memory                   = local.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.migrate.arn
  container_definitions    = jsonencode([local.ending.migrate])

  runtime_platform {
    operating_system_family = local.file.runtimePlatform.operatingSystemFamily
    cpu_architecture        = var.architecture
  }

  skip_destroy = true
}

resource "aws_ecs_task_definition" "admin" {
  family                   = "${var.name}-admin"
  network_mode             = local.file.networkMode
  requires_compatibilities = local.file.requiresCompatibilities
  cpu                      = local.size.cpu
  memory                   = local.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.admin.arn
  container_definitions    = jsonencode([local.ending.admin])

  runtime_platform {
    operating_system_family = local.file.runtimePlatform.operatingSystemFamily
    cpu_architecture        = var.architecture
  }

  skip_destroy = true
}
