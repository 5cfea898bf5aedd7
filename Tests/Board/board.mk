# Included by the top-level Makefile.

.PHONY: board board-libgpiod
board: cross ## Test the cross-built host on emulated ARM boards with a real kernel
	Tests/Board/setup
	Tests/Board/run

board-libgpiod: ## Test the host that uses libgpiod on the arm64 board
	GPIO_BACKEND=libgpiod cross/build aarch64
	Tests/Board/setup
	GPIO_BACKEND=libgpiod Tests/Board/run test_board.AArch64BoardTests test_pins.AArch64PinsTests
