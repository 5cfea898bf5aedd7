// swift-tools-version: 6.2
import PackageDescription

// One source, two builds. `swift build` and `swift test` use full Swift on the developer's
// machine; EDGE_HOST_EMBEDDED=1, which the cross builds set, compiles the same sources as
// Embedded Swift for the boards.
let embedded = Context.environment["EDGE_HOST_EMBEDDED"] == "1"

// EDGE_HOST_TLS=1 adds TLS by Mbed TLS, which is in the sysroots of the boards and, for this machine,
// where cross/native puts it.
let tls = Context.environment["EDGE_HOST_TLS"] == "1"

// GPIO_BACKEND=libgpiod reaches the kernel's GPIO character devices by libgpiod 2, which is where Mbed TLS
// is, in place of our own calls.
let backend = Context.environment["GPIO_BACKEND"] ?? ""
let libgpiod = backend == "libgpiod"
if !libgpiod && !backend.isEmpty {
  fatalError("GPIO_BACKEND is '\(backend)'; it may be 'libgpiod', or nothing for our own calls")
}

let nativeLibraries = "\(Context.packageDirectory)/build/native/usr"

let swiftSettings: [SwiftSetting] =
  [.enableExperimentalFeature("Lifetimes")]
  + (tls ? [.define("TLS")] : [])
  + (embedded
    ? [
      .enableExperimentalFeature("Embedded"),
      // Exclusivity is checked at run time by the tests; on a board a trap would end the process.
      // Frame pointers are for profilers; debuggers have the .debug files. The traps of a function
      // may be one.
      .unsafeFlags([
        "-wmo", "-Osize", "-enforce-exclusivity=unchecked", "-Xcc", "-fomit-frame-pointer",
        "-Xfrontend", "-mergeable-traps",
      ]),
      // Swift 6.3.1 numbers the constant arrays of a function anew in every module that contains a copy
      // of it, and gives them the same weak symbols: the linker then pairs one module's code with
      // another's arrays, so that an input could be set and an output could not.
      .unsafeFlags(["-Xllvm", "-sil-disable-pass=object-outliner"]),
    ]
    : [])

let tlsTargets: [Target] =
  tls
  ? [
    .target(
      name: "CTLS", dependencies: ["CLinux"],
      cSettings: embedded ? [] : [.unsafeFlags(["-I\(nativeLibraries)/include"])],
      linkerSettings: [.linkedLibrary("mbedtls")]
        + (embedded ? [] : [.unsafeFlags(["-L\(nativeLibraries)/lib"])]))
  ] : []

let package = Package(
  name: "edge-host",
  products: [
    .executable(name: "edge-host", targets: ["EdgeHost"])
  ],
  targets: [
    .target(
      name: "CLinux", exclude: [libgpiod ? "gpio.c" : "libgpiod"],
      cSettings: libgpiod && !embedded ? [.unsafeFlags(["-I\(nativeLibraries)/include"])] : [],
      linkerSettings: libgpiod
        ? [.linkedLibrary("gpiod")]
          + (embedded ? [] : [.unsafeFlags(["-L\(nativeLibraries)/lib"])]) : []),
    .systemLibrary(name: "CSodium"),
    .systemLibrary(name: "CYAML"),
    .target(
      name: "Transport",
      dependencies: ["CLinux", "CSodium"] + (tls ? ["CTLS"] : []), swiftSettings: swiftSettings),
    .target(name: "Lattice", dependencies: ["Transport"], swiftSettings: swiftSettings),
    .target(
      name: "GPIOProvider", dependencies: ["CLinux", "Lattice", "Transport"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "EdgeHost", dependencies: ["CLinux", "CYAML", "GPIOProvider", "Lattice", "Transport"],
      swiftSettings: swiftSettings),
    // Measured by `make bench`, and no part of what is installed.
    .target(name: "CBench", path: "Tests/Bench/CBench"),
    .executableTarget(
      name: "Bench", dependencies: ["CBench", "Transport"], path: "Tests/Bench/Ours",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "JournalBench", dependencies: ["CBench", "Transport"], path: "Tests/Bench/journal/Ours",
      swiftSettings: swiftSettings),
    .testTarget(name: "TransportTests", dependencies: ["Transport"]),
    .testTarget(name: "LatticeTests", dependencies: ["GPIOProvider", "Lattice", "Transport"]),
    .testTarget(name: "GPIOProviderTests", dependencies: ["GPIOProvider", "Lattice", "Transport"]),
    .testTarget(
      name: "EdgeHostTests", dependencies: ["EdgeHost", "GPIOProvider", "Lattice", "Transport"]),
  ] + tlsTargets,
  swiftLanguageModes: [.v6]
)
