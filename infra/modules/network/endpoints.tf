data "aws_region" "current" {}

locals {
  # What a task needs to start and to run: the image, its logs, its secret, mail. Image layers come from S3.
  needed              = concat(["ecr.api", "ecr.dkr", "logs", "secretsmanager"], var.mail ? ["email"] : [])
  interface_endpoints = var.outbound == "endpoints" ? local.needed : []
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.interface_endpoints)

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]

  tags = { Name = "${var.name}-${each.key}" }
}

# Free of charge, and keeps image layers off the NAT gateway's bill. In every table that tasks route by.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([for table in aws_route_table.private : table.id], var.outbound == "public" ? [aws_route_table.public.id] : [])

  tags = { Name = "${var.name}-s3" }
}
