# libyaml for the boards, compiled from Debian's source with the toolchain's clang. Sourced by
# cross/setup.

# Compiles the sources in folder $1 into the sysroot $2. Only reading is wanted: the manifest's reader
# takes events, so the emitter, the writer and the loader of whole documents stay out.
compile_libyaml() {
  local source=$1 sysroot=$2 version=() objects file
  # The project's own build systems define these: YAML_VERSION_MAJOR and so on.
  mapfile -t version < <(sed -nE 's/^set \((YAML_VERSION_(MAJOR|MINOR|PATCH)) ([0-9]+)\)/-D\1=\3/p' \
    "$source/CMakeLists.txt")
  ((${#version[@]} == 3)) || fail "libyaml's version is not where it was in $source/CMakeLists.txt"
  objects=$(mktemp -d "$work/objects.XXXX")
  for file in api reader scanner parser; do
    "$toolchain/clang" "${c_options[@]}" --sysroot="$sysroot" -g "${version[@]}" \
      -DYAML_VERSION_STRING='"of Debian"' -I "$source/include" \
      -c "$source/src/$file.c" -o "$objects/$file.o"
  done
  "$toolchain/llvm-ar" rcs "$sysroot/usr/lib/libyaml.a" "$objects"/*.o
  cp "$source/include/yaml.h" "$sysroot/usr/include/"
}
