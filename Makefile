# Every target says in one line what it is for: `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

SWIFT_VERSION := 6.3
SWIFT_FOLDERS := Package.swift Sources Tests

# `make TLS=1 ...` builds and tests with TLS, for this machine and for the boards.
TLS ?=
ifeq ($(TLS),1)
export EDGE_HOST_TLS := 1
endif

# `GPIO_BACKEND=libgpiod make ...` builds and tests with libgpiod in place of our own calls of the kernel.

.PHONY: help build test unit format lint clean swift

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	  while IFS='|' read -r name text; do printf '  %-18s %s\n' "$$name" "$$text"; done

# The one thing that is not installed for you.
swift:
	@command -v swift >/dev/null || { \
	  echo 'edge-host needs the Swift $(SWIFT_VERSION) toolchain for Debian 12 and found none on PATH.'; \
	  echo 'Get it from https://www.swift.org/install/linux/ (or with swiftly: swiftly install $(SWIFT_VERSION)),'; \
	  echo 'and put its usr/bin folder on PATH.'; exit 1; }
	@swift --version 2>/dev/null | grep -qE 'Swift version ($(SWIFT_VERSION)|6\.[4-9]|[7-9])' || \
	  echo 'note: this is made with Swift $(SWIFT_VERSION); here is' "$$(swift --version 2>/dev/null | head -1)"

libraries:
	@Tests/Support/install libsodium-dev libyaml-dev
ifeq ($(TLS),1)
	@Tests/Support/install openssl
endif
ifneq ($(TLS)$(GPIO_BACKEND),)
	@cross/native
endif

build: swift libraries ## Build for this machine (full Swift, debug)
	swift build

unit: swift libraries ## Run the unit tests
	@Tests/Support/install nats-server util-linux
	@Tests/Support/nats_servers
	swift test

test: lint ## Run everything that CI runs
	$(MAKE) TLS=1 unit integration
	$(MAKE) sim-short fuzz-short integration-cross-tls integration-cross size board board-libgpiod

format: swift ## Format the Swift sources in place
	swift format --in-place --recursive $(SWIFT_FOLDERS)

lint: swift ## Check format and house rules
	swift format lint --strict --recursive $(SWIFT_FOLDERS)
	Tests/tidy
	Tests/docs

clean: ## Remove everything built
	rm -rf .build build

include cross/cross.mk Tests/Board/board.mk Tests/Fuzz/fuzz.mk Tests/Bench/bench.mk
include Tests/Simulation/simulation.mk
include Tests/Integration/integration.mk Examples/warehouse/warehouse.mk
