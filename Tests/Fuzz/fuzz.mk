SECONDS ?= 60

.PHONY: fuzz fuzz-short
fuzz: ## Fuzz each parser for SECONDS=60 seconds, after proving that a planted trap is found
	Tests/Fuzz/run canary
	Tests/Fuzz/run $(SECONDS)

# Part of `make test`.
fuzz-short:
	Tests/Fuzz/run canary
	Tests/Fuzz/run 3
