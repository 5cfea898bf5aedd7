SECONDS ?= 60

.PHONY: fuzz
fuzz: ## Fuzz the parsers for SECONDS=60 seconds each, after proving that a planted trap is found
	Tests/Fuzz/run canary
	Tests/Fuzz/run $(SECONDS)
