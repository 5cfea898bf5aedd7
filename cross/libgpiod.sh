# libgpiod 2, compiled from Debian's source with the toolchain's clang. Sourced by cross/setup and
# cross/native.

# Unpacks the source in folder $1. Debian patches only its documentation, so the authors' archive is
# enough.
fetch_libgpiod() {
  say "fetching the source of libgpiod of Debian trixie"
  private_apt_state trixie "$(dpkg --print-architecture)"
  private_apt_source "$1" --tar-only libgpiod
  tar -C "$1" -xf "$1"/libgpiod_*.orig.tar.*
}

# Compiles the C library of the source in folder $1 into libgpiod.a below $2, with the options that
# follow. Its assertions are of what the border checks.
compile_libgpiod() {
  local source=$1 usr=$2/usr objects file
  shift 2
  mkdir -p "$usr/include" "$usr/lib"
  cp "$source/include/gpiod.h" "$usr/include/"
  objects=$(mktemp -d "$work/objects.XXXX")
  for file in "$source"/lib/*.c; do
    "$toolchain/clang" "$@" -g -D_GNU_SOURCE -DNDEBUG -DGPIOD_VERSION_STR='"of Debian"' \
      -I "$source/include" -I "$source/lib" -c "$file" -o "$objects/$(basename "$file" .c).o"
  done
  "$toolchain/llvm-ar" rcs "$usr/lib/libgpiod.a" "$objects"/*.o
}
