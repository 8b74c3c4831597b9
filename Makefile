# The two commands of the README are `make run` and `make test`; the others are for contributors.

.PHONY: run test lint fmt openapi sqlx schemathesis image up test-container test-abuse test-growth test-scale test-task-definition \
  test-infra golden test-infra-emulated test-deploy test-openapi \
  test-client test-feeds test-mail test-media test-webhooks test-egress test-browser bench postgres

GIT_SHA = $(shell git rev-parse HEAD)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

run: postgres ## serve the API on http://localhost:8000 from a private PostgreSQL
	cargo run -- $(ARGS)

test: postgres ## every test, on a real PostgreSQL
	cargo test $(ARGS)

lint: ## what CI checks before the tests
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	cargo deny check
	scripts/with-postgres scripts/sqlx-prepare --check

fmt:
	cargo fmt

openapi: ## write openapi.json anew from the handlers
	cargo run -q -- openapi > openapi.json.new
	mv openapi.json.new openapi.json

sqlx: ## write .sqlx anew from the queries and migrations
	scripts/with-postgres scripts/sqlx-prepare

schemathesis: ## hold the service against its OpenAPI document
	scripts/schemathesis

test-openapi: ## openapi.json by a linter's rules, and against breaking changes
	tests/openapi/run

test-client: postgres ## a TypeScript client generated from openapi.json, against the service
	tests/client/run

test-browser: postgres ## what users write, and the docs page, in Chromium
	tests/browser/run

test-feeds: postgres ## read the feeds and the sitemap with parsers that others wrote
	tests/feeds/run

test-mail: postgres ## mail by SMTP and SES as others take it, and processes that die with it in hand; ARGS=Ses runs some
	tests/mail/run $(ARGS)

test-media: postgres ## pictures of others and pictures that attack, in Chromium, and an S3 that checks signatures; ARGS=Bombs runs some
	tests/media/run $(ARGS)

test-webhooks: postgres ## webhooks as the reference libraries verify them, receivers that misbehave, and a process that is killed; ARGS=Killed runs some
	tests/webhooks/run $(ARGS)

test-egress: ## compare the addresses that users may name with what Python says of them
	tests/egress/check.py

test-infra: ## hold infra/ and the task definition against their rules, without an AWS account
	infra/tests/static

golden: ## write the reviewed copy of what infra/ makes anew: read its diff
	infra/tests/static --golden

test-infra-emulated: postgres ## apply, use and destroy infra/ in an AWS emulated here, then test-deploy
	infra/tests/emulated/run
	infra/tests/deploy/run

test-deploy: ## deploy, rollback, diagnosis and the walk of docs/deploy.md, against AWS emulated here
	infra/tests/deploy/run

image: ## the image that runs on ECS, as blog-api:latest
	docker build -t blog-api --build-arg GIT_SHA=$(GIT_SHA) --build-arg VERSION=$(VERSION) .

up: ## the image twice, behind a load balancer and with what AWS gives it, on http://localhost:8000
	GIT_SHA=$(GIT_SHA) VERSION=$(VERSION) docker compose up --build --wait

test-container: image ## what happens to the image in production
	cargo test --test container -- $(ARGS)

test-abuse: image ## what attackers do to the image, and what everybody else notices of it
	cargo test --test abuse -- $(ARGS)

test-growth: ## looks for texts and bodies whose cost grows faster than their length
	cargo test --test growth -- $(ARGS)

test-scale: postgres ## what each list reads of a million posts and ten million comments: half an hour and 15 GB
	cargo test --test api -- --ignored plans::scale $(ARGS)

test-task-definition: ## task-definition.json is one that ECS takes, as it is and with its placeholders filled
	infra/tests/task-definition

bench: postgres ## measure, and write docs/performance.md: ARGS='compare scale', BASE=<commit> to compare with
	BASE=$(BASE) bench/run $(ARGS)

postgres: # the server's binaries, unless they are here or DATABASE_URL names a server
	@scripts/install-postgres
