"""Says which part of the source each byte of a program comes from.

lld's map lists every input section that is in the program, with its size and the file it is from.
C libraries come from their archives. All Swift code is optimised as one when it is linked, so its
sections are told apart by their symbols, which -function-sections makes part of a section's name: a
mangled Swift name begins with the module that declares the function. Pieces of code that the
compiler shares between functions belong to nobody and are listed as shared.
"""
import collections
import re

# Output sections that take memory but no bytes of the file.
WITHOUT_BYTES = {".bss", ".tbss", ".bss.rel.ro", ".relro_padding"}

ARCHIVES = {
    "libgpiod.a": "libgpiod",
    "libmbedtls.a": "Mbed TLS",
    "libsodium.a": "libsodium",
    "libyaml.a": "libyaml",
    "libc.a": "musl",
    "libgcc.a": "libgcc",
    "libgcc_eh.a": "libgcc",
}
STANDARD_LIBRARY = "Swift's standard library"
START_FILES = "start files"
LINKER = "headers, tables, padding"
SHARED = "shared code, literals"
# Functions that cross the border to C libraries (embedded.c).
EMBEDDED_C = {"arc4random_buf", "__assert_fail"}


def bytes_per_module(folder):
    """Pairs of a part's name and its bytes, largest first; their sum is the stripped file's size."""
    sizes = collections.Counter()
    for input_section, size in input_sections((folder / "edge-host.map").read_text()):
        sizes[part_of(input_section)] += size
    sizes[LINKER] += (folder / "edge-host").stat().st_size - sum(sizes.values())
    return sizes.most_common()


def input_sections(text):
    """Pairs of an input section, as "FILE:(SECTION)", and its size, of those that are in the file.

    A line of the map is: address, load address, size, alignment, then a name, which is indented by
    nothing for an output section, by 8 for an input section and by 16 for a symbol.
    """
    in_file = False
    for line in text.splitlines()[1:]:
        address, _, size, _, name = re.match(r" *(\w+) +(\w+) +(\w+) +(\w+) (.*)", line).groups()
        indentation = len(name) - len(name.lstrip())
        if indentation == 0:
            in_file = int(address, 16) != 0 and name not in WITHOUT_BYTES
        elif indentation == 8 and in_file:
            yield name.strip(), int(size, 16)


def part_of(input_section):
    match = re.fullmatch(r"(.*):\((.*)\)", input_section)
    if not match:
        return LINKER  # an assignment or a gap
    file, section = match.groups()
    if archive := re.search(r"([^/]+\.a)\(", file):
        return ARCHIVES.get(archive[1], archive[1])
    if file.endswith(".lto.o"):
        return part_of_symbol(section)
    return START_FILES if re.search(r"crt\w+\.o$", file) else LINKER


def part_of_symbol(section):
    """The module that declares the function or datum of a section such as .text.$e9Transport4TextV."""
    symbol = re.sub(r"^\.(text|rodata|data|bss)(\.rel\.ro|\.unlikely)?\.?", "", section)
    if re.match(r"_?linux_", symbol) or symbol in EMBEDDED_C:
        return "CLinux"
    if re.match(r"_?swift_|\$e[sSN]", symbol):
        # The modules' own extensions of the standard library's types say so.
        extension = re.search(r"(\d+)(Transport|Lattice|GPIOProvider|EdgeHost)E", symbol)
        return extension[2] if extension else STANDARD_LIBRARY
    if length := re.match(r"\$e(\d+)", symbol):
        start = length.end()
        return symbol[start:start + int(length[1])]
    if symbol.startswith("EdgeHost"):
        return "EdgeHost"
    return SHARED
