import CLinux

linux_exit(Program.run(Arguments.ofProcess()))
