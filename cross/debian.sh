# What a sysroot is made of, from Debian. Sourced by cross/setup.
source "$root/cross/private-apt"

release=bookworm
gcc_version=12 # the release's own; for libgcc and the start files
# musl is the next release's, 1.2.5: its static-PIE start code understands packed relative relocations,
# 7 KB less on aarch64, and its resolver asks over TCP when an answer was cut short.
musl_release=trixie

# Downloads the packages for every architecture, and unpacks them in folder $1, one folder for each
# of Debian's architectures. apt checks the signatures; nothing is installed.
fetch_packages() {
  local folder=$1 architecture architectures=() wanted=() musl=() file
  for architecture in "${all_architectures[@]}"; do
    describe_architecture "$architecture"
    architectures+=("$debian")
    wanted+=({"libgcc-$gcc_version-dev",linux-libc-dev}":$debian")
    musl+=("musl-dev:$debian")
  done
  say "fetching ${musl[*]} of Debian $musl_release"
  private_apt_state "$musl_release" "${architectures[@]}"
  private_apt_download "$folder" "${musl[@]}"
  say "fetching ${wanted[*]} of Debian $release"
  private_apt_state "$release" "${architectures[@]}"
  private_apt_download "$folder" "${wanted[@]}"
  for file in "$folder"/*.deb; do
    dpkg-deb --extract "$file" "$folder/$(dpkg-deb --field "$file" Architecture)"
  done
}

# Downloads source packages of Debian's release $2 and unpacks them in folder $1.
fetch_sources() {
  local folder=$1
  say "fetching the source of ${*:3} of Debian $2"
  private_apt_state "$2" "$(dpkg --print-architecture)"
  private_apt_source "$folder" "${@:3}"
}
