# Included by the top-level Makefile.

.PHONY: run
run: swift ## Show a board in a warehouse, operated from afar over a link that breaks
	@Tests/Support/install libyaml-dev nats-server python3 util-linux
	@mkdir -p build
	@echo 'Building edge-host: minutes the first time, seconds later.'
	@swift build >build/run.log 2>&1 || { cat build/run.log; exit 1; }
	@python3 Examples/warehouse/run.py
