# Shared by cross/setup and cross/build; sourced, not run. It defines names and does nothing else.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sdks="$root/build/sdk"
bundle="$sdks/edge-host.artifactbundle"

all_architectures=(aarch64 armv7 armv6 x86_64)

# One architecture has four names. Ours is the processor's. Swift's standard library for Embedded
# Swift is found by a bare-metal triple; C is compiled and the program linked for a musl triple; and
# Debian's packages have a name of their own. Options for C also decide how Swift code is generated.
describe_architecture() {
  c_options=()
  case $1 in
    aarch64) # Raspberry Pi 3, 4, 5 and Zero 2 with a 64-bit system
      swift_triple=aarch64-none-none-elf clang_target=aarch64-linux-musl debian=arm64 ;;
    armv7) # Raspberry Pi 2 and later with a 32-bit system, BeagleBone
      swift_triple=armv7-none-none-eabi clang_target=armv7-linux-musleabihf debian=armhf
      # Instructions of 16 and 32 bits: a program smaller by a quarter, on every ARMv7 board.
      c_options=(-mthumb) ;;
    armv6) # Raspberry Pi 1 and Zero; Debian's armhf needs ARMv7, so libraries are armel's
      swift_triple=armv6-none-none-eabi clang_target=armv6-linux-musleabi debian=armel ;;
    x86_64) # the developer's machine: the boards' program, to measure and to debug
      swift_triple=x86_64-unknown-none-elf clang_target=x86_64-linux-musl debian=amd64 ;;
    *) fail "unknown architecture '$1'; there are: ${all_architectures[*]}" ;;
  esac
  c_options+=(--target="$clang_target" -Oz -fPIC -ffunction-sections -fdata-sections
    -fno-unwind-tables -fno-asynchronous-unwind-tables)
}

say() { echo "cross: $*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# Sets `toolchain` to the folder that holds swiftc, clang, lld and llvm-objcopy. The command on the
# PATH may be a link or swiftly's proxy; the compiler itself knows where its libraries are.
find_toolchain() {
  local resources tool
  command -v swiftc >/dev/null ||
    fail "no swiftc on the PATH; install Swift 6.3 from https://www.swift.org/install/linux/"
  resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
  toolchain=$(realpath "$resources/../../bin")
  for tool in swift clang ld.lld llvm-ar llvm-objcopy llvm-objdump; do
    [[ -x $toolchain/$tool ]] || fail "$toolchain has no $tool; is it a swift.org toolchain?"
  done
}
