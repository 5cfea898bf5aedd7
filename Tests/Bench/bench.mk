# Included by the top-level Makefile.

.PHONY: bench
bench: swift libraries ## Measure the client beside nats.c into docs/benchmarks.md; fail over a figure that is short
	@Tests/Support/install iproute2 libnats-dev nats-server python3 util-linux
	Tests/Bench/build
	Tests/Bench/run
