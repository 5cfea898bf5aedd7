# Included by the top-level Makefile.

.PHONY: integration integration-cross

integration: swift ## Test the program against real NATS servers
	@Tests/Support/install libyaml-dev nats-server python3 util-linux
	swift build
	Tests/Integration/run

integration-cross: cross ## Test the cross-built programs likewise, those for ARM under emulation
	@Tests/Support/install nats-server python3 qemu-user-static util-linux
	Tests/Integration/run --cross
