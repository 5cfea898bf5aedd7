# libyaml for the boards, compiled from Debian's source with the toolchain's clang. Sourced by
# cross/setup.

# Compiles the sources in folder $1 into the sysroot $2. Only reading is wanted: the parser's
# callers get events, so the emitter, the writer and the loader of whole documents stay out.
compile_libyaml() {
  local source=$1 sysroot=$2 objects file version
  objects=$(mktemp -d "$work/objects.XXXX")
  version=$(sed -n 's/.*YAML_VERSION_STRING "\([0-9.]*\)".*/\1/p;s/^set *(YAML_VERSION_[A-Z]* \([0-9]*\))/\1/p' \
    "$source/CMakeLists.txt" | paste -sd .)
  local major minor patch
  IFS=. read -r major minor patch <<<"$version"
  for file in api reader scanner parser; do
    "$toolchain/clang" --target="$clang_target" --sysroot="$sysroot" -Os -fPIC -g \
      -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
      -DYAML_VERSION_MAJOR="$major" -DYAML_VERSION_MINOR="$minor" -DYAML_VERSION_PATCH="$patch" \
      -DYAML_VERSION_STRING="\"$major.$minor.$patch\"" -DYAML_DECLARE_STATIC \
      -I "$source/include" -c "$source/src/$file.c" -o "$objects/$file.o"
  done
  "$toolchain/llvm-ar" rcs "$sysroot/usr/lib/libyaml.a" "$objects"/*.o
  cp "$source/include/yaml.h" "$sysroot/usr/include/"
}
