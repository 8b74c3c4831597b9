mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  github_repository = "owner/blog-api"
}

# What is known before, which nothing has made up.
run "planned" {
  command = plan
}

run "defaults" {
  command = apply
}
