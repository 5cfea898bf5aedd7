# libsodium for the boards, compiled from Debian's source with the toolchain's clang. Sourced by
# cross/setup.

# Compiles the source in folder $1 into the sysroot $2. Only Ed25519, SHA-512 and wiping are wanted.
compile_libsodium() {
  local source=$1/src/libsodium usr=$2/usr objects file options
  mkdir -p "$usr/include"
  cp -r "$source/include/sodium" "$usr/include/"
  objects=$(mktemp -d "$work/objects.XXXX")
  options=("${c_options[@]}" --sysroot="$2" -g -I "$source/include/sodium" -DCONFIGURED=1
    -DHAVE_WEAK_SYMBOLS -DHAVE_EXPLICIT_BZERO -DNATIVE_LITTLE_ENDIAN)
  # The curve's arithmetic with words of 64 bits.
  [[ $debian != a*64 ]] || options+=(-DHAVE_TI_MODE)
  # Multiples of the base point come without their table: see the file that replaces it.
  for file in crypto_sign/ed25519/{sign_ed25519,ref10/{keypair,open,sign}} \
    crypto_core/ed25519/ref10/ed25519_ref10 crypto_hash/sha512/{hash_sha512,cp/hash_sha512_cp} \
    crypto_verify/sodium/verify sodium/utils; do
    "$toolchain/clang" "${options[@]}" -c "$source/$file.c" -o "$objects/$(basename "$file").o" \
      $([[ $file != */ed25519_ref10 ]] || echo -Dge25519_scalarmult_base=unused_scalarmult_base)
  done
  "$toolchain/clang" "${options[@]}" -I "$source/include" -c "$root/cross/ed25519_base.c" \
    -o "$objects/ed25519_base.o"
  "$toolchain/llvm-ar" rcs "$usr/lib/libsodium.a" "$objects"/*.o
}
