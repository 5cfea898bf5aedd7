"""Says which part of the source each byte of a program comes from.

lld's map lists every input section that is in the program, with its size and the object file or
archive it is from; SwiftPM keeps each module's objects in a folder named after the module. So the
attribution to modules and libraries is exact.

Embedded Swift has no library for its runtime and standard library: the compiler puts what a module
uses of them into that module's own objects, and the linker keeps one copy. There they are told
apart by their symbols, which -function-sections makes part of the section's name.
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
    if module := re.search(r"/([^/]+)\.build/.+\.o$", file):
        return STANDARD_LIBRARY if is_standard_library(section, module[1]) else module[1]
    return START_FILES if re.search(r"crt\w+\.o$", file) else LINKER


def is_standard_library(section, module):
    """Whether a section of a module's object holds a function of the Swift runtime or of the
    standard library, perhaps specialised for one of the module's types."""
    symbol = section.split(".", 2)[-1]
    if re.match(r"_?swift_", symbol):
        return True
    # $es is a declaration of the Swift module; $eS, one of its types with a short name (String).
    # The module's own extensions of such a type say so.
    return bool(re.match(r"\$e[sS]", symbol)) and f"{len(module)}{module}E" not in symbol
