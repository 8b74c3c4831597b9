output "vpc_id" {
  value = aws_vpc.this.id
}

output "public_subnet_ids" {
  value = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "task_subnet_ids" {
  description = "Where tasks find the way out that `outbound` says."
  value = [
    for zone in var.availability_zones : var.outbound == "public" ? aws_subnet.public[zone].id : aws_subnet.private[zone].id
  ]
}

output "database_subnet_ids" {
  value = [for zone in var.availability_zones : aws_subnet.database[zone].id]
}

output "load_balancer_security_group_id" {
  value = aws_security_group.load_balancer.id
}

output "tasks_security_group_id" {
  value = aws_security_group.tasks.id
}

output "database_security_group_id" {
  value = aws_security_group.database.id
}

output "nat_zones" {
  description = "Zones with a NAT gateway."
  value       = keys(aws_nat_gateway.this)
}

output "interface_endpoints" {
  description = "AWS services with an endpoint inside the VPC."
  value       = keys(aws_vpc_endpoint.interface)
}
