# Included by the top-level Makefile.

.PHONY: integration integration-cross integration-cross-tls

integration: swift libraries ## Test the program against real NATS servers
	@Tests/Support/install nats-server openssl python3 python3-cryptography util-linux
	swift build
	Tests/Integration/run

integration-cross: cross ## Test the cross-built programs likewise, those for ARM under emulation
	@Tests/Support/install nats-server openssl python3 python3-cryptography qemu-user-static util-linux
	Tests/Integration/run --cross

integration-cross-tls: ## Test authentication and TLS with the program for aarch64, under emulation
	@Tests/Support/install nats-server openssl python3 python3-cryptography qemu-user-static util-linux
	EDGE_HOST_TLS=1 cross/build aarch64
	EDGE_HOST="qemu-aarch64-static build/aarch64/edge-host" NATS_SERVER=sid \
	  Tests/Integration/run test_security
