# Mbed TLS, compiled from Debian's source with the toolchain's clang. Sourced by cross/setup and
# cross/native.

# Compiles the source in folder $1 into libmbedtls.a below $2, with the options that follow. All files
# are compiled; the configuration leaves most of them empty.
compile_mbedtls() {
  local source=$1 usr=$2/usr objects
  shift 2
  mkdir -p "$usr/include/mbedtls" "$usr/lib"
  cp -r "$source"/include/{mbedtls,psa} "$usr/include/"
  cp "$root/cross/mbedtls_config.h" "$usr/include/mbedtls/"
  objects=$(mktemp -d "$work/objects.XXXX")
  printf '%s\n' "$source"/library/*.c |
    xargs -P "$(nproc)" -I '{}' sh -c '"$@" -o "$0/$(basename {} .c).o" -c {}' "$objects" \
      "$toolchain/clang" "$@" -g -I "$source/library" -I "$usr/include"
  "$toolchain/llvm-ar" rcs "$usr/lib/libmbedtls.a" "$objects"/*.o
}
