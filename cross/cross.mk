# Targets of the cross builds; the top-level Makefile includes this file.
.PHONY: cross size

cross: ## Build the program for the boards: static, in build/ARCHITECTURE/edge-host
	cross/build

size: ## Print the size of the boards' program by module, and its idle memory; fail over the limits
	cross/size --check
