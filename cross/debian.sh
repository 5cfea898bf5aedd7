# Packages for other architectures, from Debian, without touching the machine's own apt: its sources,
# its package lists and its architectures stay as they are. Sourced by cross/setup.

release=bookworm
gcc_version=12 # the release's own; for libgcc and the start files

# The tools cross/setup runs, and the Debian packages that have them.
install_missing_tools() {
  local missing=()
  command -v apt-get >/dev/null || fail "apt-get is needed: run this on Debian or Ubuntu"
  command -v dpkg-source >/dev/null || missing+=(dpkg-dev)
  command -v patch >/dev/null || missing+=(patch)
  command -v xz >/dev/null || missing+=(xz-utils)
  [[ -f $keyring ]] || missing+=(debian-archive-keyring)
  ((${#missing[@]} == 0)) && return
  say "installing ${missing[*]}: fetching, checking and unpacking Debian packages needs them"
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -qq --yes --no-install-recommends "${missing[@]}" >&2
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the mirror this machine gets Debian from; Debian's own when it is another system.
debian_mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' "Codename: $release" 2>/dev/null | head -n 1)
  echo "${uri:-http://deb.debian.org/debian/}"
}

# Makes an apt configuration whose whole state is in folder $1, and fetches the package lists.
make_private_apt() {
  local folder=$1 mirror architecture architectures=()
  mirror=$(debian_mirror)
  for architecture in "${all_architectures[@]}"; do
    describe_architecture "$architecture"
    architectures+=("$debian")
  done
  mkdir -p "$folder"/{state/lists/partial,cache/archives/partial}
  : >"$folder/status"
  cat >"$folder/edge-host.sources" <<END
Types: deb deb-src
URIs: $mirror
Suites: $release
Components: main
Architectures: ${architectures[*]}
Signed-By: $keyring
END
  # The machine's apt.conf.d is still read, for a proxy; its hooks are not run, because some of them
  # work on the machine's own state.
  cat >"$folder/apt.conf" <<END
#clear APT::Update;
#clear DPkg;
#clear APT::Architectures;
APT::Architectures { $(printf '"%s"; ' "${architectures[@]}")};
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$folder/state";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "$folder/edge-host.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
END
  apt_configuration="$folder/apt.conf"
  say "fetching Debian $release's package lists from $mirror"
  private_apt update
}

private_apt() { apt-get -qq --config-file "$apt_configuration" "$@" >&2; }

# Downloads what a sysroot is made of, for every architecture, and unpacks it in folder $1, one
# folder for each of Debian's architectures. apt checks the signatures; nothing is installed.
fetch_packages() {
  local folder=$1 architecture wanted=() file
  for architecture in "${all_architectures[@]}"; do
    describe_architecture "$architecture"
    wanted+=({musl-dev,"libgcc-$gcc_version-dev",linux-libc-dev}":$debian")
  done
  mkdir -p "$folder"
  say "fetching ${wanted[*]}"
  (cd "$folder" && private_apt download "${wanted[@]}")
  for file in "$folder"/*.deb; do
    dpkg-deb --extract "$file" "$folder/$(dpkg-deb --field "$file" Architecture)"
  done
}

# Downloads Debian's source package $1 and unpacks it, with Debian's patches, as folder $2. apt has
# checked the files against the signed index, so their own signature is not looked at.
fetch_source() {
  local name=$1 folder=$2
  mkdir -p "$folder.files"
  say "fetching the source of $name"
  (cd "$folder.files" && private_apt source --download-only "$name")
  dpkg-source --no-check --extract "$folder.files"/*.dsc "$folder" >/dev/null
}
