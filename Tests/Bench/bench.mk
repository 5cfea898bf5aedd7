# Included by the top-level Makefile.

.PHONY: bench
bench: swift libraries ## Measure the client beside nats.c into docs/benchmarks.md; fail over a figure that is short
	@Tests/Support/install iproute2 libnats-dev nats-server python3 util-linux
	Tests/Bench/build
	Tests/Bench/run

.PHONY: bench-gpio
bench-gpio: swift ## Measure pins beside gpiomon and a publisher on an emulated board into docs/benchmarks-gpio.md; fail over a figure that is short
	Tests/Board/setup
	cross/build aarch64
	Tests/Bench/gpio/build
	Tests/Bench/gpio/run
