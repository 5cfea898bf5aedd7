SEEDS ?= 10000

.PHONY: sim
sim: swift libraries ## Simulate fleets on breaking links: SEEDS=10000 of them, or one, SEED=7, perhaps with a CANARY; or NIGHT=1
	Tests/Simulation/run $(if $(NIGHT),night,$(if $(SEED),seed $(SEED) $(CANARY),seeds $(SEEDS)))

.PHONY: sim-short
sim-short: swift libraries ## Simulate some thousand seeds, after proving that each broken copy is noticed
	Tests/Simulation/run canaries
	Tests/Simulation/run cuts 40
	Tests/Simulation/run seeds 8000
