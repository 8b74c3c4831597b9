# What a profile decides, unless a variable says otherwise.

locals {
  profiles = {
    # To see it run: one small task and one small database, each in one zone, and nothing that is paid for by the hour beside
    # them but the load balancer. It can be deleted with all that it has.
    learning = {
      outbound                = "public"
      tasks                   = { min = 1, max = 2 }
      task_size               = { cpu = 256, memory = 512 }
      database_instance_class = "db.t4g.micro"
      database_multi_az       = false
      firewall                = false
      flow_logs               = false
      container_insights      = false
      deletion_protection     = false
    }
    # A blog that may be away for some minutes when a zone or a machine fails, and is kept.
    small = {
      outbound                = "public"
      tasks                   = { min = 1, max = 3 }
      task_size               = { cpu = 256, memory = 512 }
      database_instance_class = "db.t4g.micro"
      database_multi_az       = false
      firewall                = false
      flow_logs               = false
      container_insights      = false
      deletion_protection     = true
    }
    # Outlives the loss of a zone.
    production = {
      outbound                = "nat"
      tasks                   = { min = 2, max = 10 }
      task_size               = null
      database_instance_class = "db.t4g.medium"
      database_multi_az       = true
      firewall                = true
      flow_logs               = true
      container_insights      = true
      deletion_protection     = true
    }
  }

  chosen = {
    outbound                = var.outbound
    tasks                   = var.tasks
    task_size               = var.task_size
    database_instance_class = var.database_instance_class
    database_multi_az       = var.database_multi_az
    firewall                = var.firewall
    flow_logs               = var.flow_logs
    container_insights      = var.container_insights
    deletion_protection     = var.deletion_protection
  }

  settings = merge(local.profiles[var.profile], { for name, value in local.chosen : name => value if value != null })
}
