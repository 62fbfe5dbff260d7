# SPDX-License-Identifier: MIT
# The ways of deploying in docs/deploy.md and infra/: the layer that they deploy, and the CDK, the AWS CLI and SAM.

INFRA_NEEDS := build/layer-$(HOST_ARCH).zip build/cdk/installed build/venv/installed build/sam-venv/installed build/packages/infra
INFRA_SUITE := --infra

build/cdk/installed: infra/cdk/package-lock.json build/venv/installed
	$(call node_packages,$(<D))

# Terraform: OpenTofu is built from its Go module, for minutes, and so it is not part of `make test`. A program of ours
# stands in for the AWS provider, which is not to be had as a Go module.
TOFU_VERSION := 1.12.6
TOFU := build/tofu/tofu
TOFU_PROVIDER := build/tofu/terraform-provider-aws
GO := GOROOT= GOTOOLCHAIN=local GOFLAGS=-modcacherw GOPATH=$(abspath build/go) GOCACHE=$(abspath build/go/cache) $(abspath build/go-venv/bin/go)

build/go-venv/installed: tests/terraform/go-requirements.txt | build/packages/python
	$(call virtual_environment,$<)
$(TOFU): .make/infra.mk build/go-venv/installed
	@echo "OpenTofu $(TOFU_VERSION), for some minutes"; mkdir -p $(@D)
	@$(GO) mod download github.com/opentofu/opentofu@v$(TOFU_VERSION)
	@cd build/go/pkg/mod/github.com/opentofu/opentofu@v$(TOFU_VERSION) && \
	    $(GO) build -trimpath -o $(abspath $@) ./cmd/tofu
$(TOFU_PROVIDER): $(wildcard tests/terraform/provider/*) build/go-venv/installed
	@mkdir -p $(@D); cd tests/terraform/provider && $(GO) vet . && $(GO) build -o $(abspath $@) .
