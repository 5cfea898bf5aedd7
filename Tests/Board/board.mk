# Included by the top-level Makefile.

.PHONY: board
board: cross ## Test the cross-built host on emulated ARM boards with a real kernel
	Tests/Board/setup
	Tests/Board/run
