mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  github_repository = "owner/blog-api"
}

run "defaults" {
  command = apply
}
