# What a sysroot is made of, from Debian. Sourced by cross/setup.
source "$root/cross/private-apt"

release=bookworm
gcc_version=12 # the release's own; for libgcc and the start files

# Installs what the functions below run, where it is missing.
install_missing_tools() {
  local missing=() as_root=()
  command -v apt-get >/dev/null || fail "apt-get is needed: run this on Debian or Ubuntu"
  command -v dpkg-source >/dev/null || missing+=(dpkg-dev)
  command -v patch >/dev/null || missing+=(patch)
  command -v xz >/dev/null || missing+=(xz-utils)
  [[ -f $private_apt_keyring ]] || missing+=(debian-archive-keyring)
  ((${#missing[@]} == 0)) && return
  say "installing ${missing[*]}: fetching, checking and unpacking Debian packages needs them"
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -qq --yes --no-install-recommends "${missing[@]}" >&2
}

# Downloads the packages for every architecture, and unpacks them in folder $1, one folder for each
# of Debian's architectures. apt checks the signatures; nothing is installed.
fetch_packages() {
  local folder=$1 architecture architectures=() wanted=() file
  for architecture in "${all_architectures[@]}"; do
    describe_architecture "$architecture"
    architectures+=("$debian")
    wanted+=({musl-dev,"libgcc-$gcc_version-dev",linux-libc-dev}":$debian")
  done
  say "fetching ${wanted[*]} of Debian $release"
  private_apt_state "$release" "${architectures[@]}"
  private_apt_download "$folder" "${wanted[@]}"
  for file in "$folder"/*.deb; do
    dpkg-deb --extract "$file" "$folder/$(dpkg-deb --field "$file" Architecture)"
  done
}

# Downloads Debian's source package $1 and unpacks it in folder $2.
fetch_source() {
  say "fetching the source of $1"
  private_apt_source "$2" "$1"
}
