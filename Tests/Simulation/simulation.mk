SEEDS ?= 10000

.PHONY: sim
sim: swift libraries ## Simulate fleets on breaking links: SEEDS=10000 of them, or one, SEED=7, perhaps with a CANARY
	Tests/Simulation/run $(if $(SEED),seed $(SEED) $(CANARY),seeds $(SEEDS))

.PHONY: sim-short
sim-short: swift libraries ## Simulate some thousand seeds, after proving that each broken copy is noticed
	Tests/Simulation/run canaries
	Tests/Simulation/run seeds 8000
