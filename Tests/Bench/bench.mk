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

.PHONY: bench-journal
bench-journal: swift libraries ## Measure the journal beside SQLite into docs/benchmarks-journal.md; fail over a figure that is short
	@Tests/Support/install libsqlite3-dev python3
	Tests/Bench/journal/build
	Tests/Bench/journal/run
