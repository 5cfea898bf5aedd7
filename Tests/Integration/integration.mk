# Included by the top-level Makefile.

.PHONY: integration integration-cross

integration: swift libraries ## Test the program against real NATS servers
	@Tests/Support/install nats-server openssl python3 python3-cryptography util-linux
	swift build
	Tests/Integration/run

integration-cross: cross ## Test the cross-built programs likewise, those for ARM under emulation
	@Tests/Support/install nats-server openssl python3 python3-cryptography qemu-user-static util-linux
	Tests/Integration/run --cross
