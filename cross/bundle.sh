# The Swift SDK artifact bundle: what a sysroot holds and which options the tools get. Sourced by
# cross/setup.

# Fills sysroot $2 from Debian's packages, unpacked in folder $1, and from the toolchain.
fill_sysroot() {
  local packages="$1/$debian/usr" usr="$2/usr"
  mkdir -p "$usr/lib" "$usr/include"
  cp "$packages"/lib/*-musl*/*.{o,a} "$usr/lib/"
  cp -r "$packages"/include/*-musl*/. "$usr/include/"
  cp -r "$packages"/include/{linux,asm-generic} "$packages"/include/*-gnu*/asm "$usr/include/"
  # clang looks here for the start files and libgcc, which has what the processor does not:
  # 64-bit division on 32-bit ARM, for one.
  local gcc="$usr/lib/gcc/$clang_target/$gcc_version"
  mkdir -p "$gcc"
  cp "$packages/lib/gcc"/*/"$gcc_version"/{crtbegin*.o,crtend*.o,libgcc.a,libgcc_eh.a} "$gcc/"
}

# Writes the description and the options of architecture $1.
write_swift_sdk() {
  local folder="$bundle/$1"
  cat >"$folder/swift-sdk.json" <<END
{
  "schemaVersion": "4.0",
  "targetTriples": {
    "$swift_triple": { "sdkRootPath": "sysroot", "toolsetPaths": ["toolset.json"] }
  }
}
END
  cat >"$folder/toolset.json" <<END
{
  "schemaVersion": "1.0",
  "rootPath": "$toolchain",
  "swiftCompiler": {
    "extraCLIOptions": [
      "-Xfrontend", "-function-sections",
      "-use-ld=lld",
      "-Xclang-linker", "--target=$clang_target",
      "-Xclang-linker", "-static-pie"
    ]
  },
  "cCompiler": {
    "extraCLIOptions": [$(quoted "${c_options[@]}")]
  },
  "linker": {
    "extraCLIOptions": ["--gc-sections", "--icf=all", "--pack-dyn-relocs=relr", "-lyaml", "-lsodium", "-lmbedtls"]
  }
}
END
}

# The arguments as elements of a JSON array.
quoted() {
  local list
  list=$(printf '"%s", ' "$@")
  echo "${list%, }"
}

# Writes the index of the bundle: one SDK, named edge-host-ARCHITECTURE, for each architecture.
write_bundle_index() {
  local architecture separator= host
  host=$(swiftc -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p' | head -n 1)
  {
    echo '{ "schemaVersion": "1.0", "artifacts": {'
    for architecture in "${all_architectures[@]}"; do
      cat <<END
  $separator"edge-host-$architecture": {
    "type": "swiftSDK", "version": "1",
    "variants": [{ "path": "$architecture", "supportedTriples": ["$host"] }]
  }
END
      separator=,
    done
    echo '} }'
  } >"$bundle/info.json"
}
