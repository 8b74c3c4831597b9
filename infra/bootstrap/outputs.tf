output "deploy_role_arn" {
  description = "What the deploying workflow assumes."
  value       = aws_iam_role.deploy.arn
}

output "plan_role_arn" {
  description = "What the workflow that looks for drift assumes."
  value       = aws_iam_role.plan.arn
}

output "backend" {
  description = "Where infra/production keeps its state: `terraform output -raw backend > ../production/backend.hcl`."
  value       = <<-EOT
    bucket = "${aws_s3_bucket.state.id}"
    region = "${var.region}"
  EOT
}
