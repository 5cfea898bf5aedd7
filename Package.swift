// swift-tools-version: 6.2
import PackageDescription

// One source, two builds. `swift build` and `swift test` use full Swift on the developer's
// machine; EDGE_HOST_EMBEDDED=1, which the cross builds set, compiles the same sources as
// Embedded Swift for the boards.
let embedded = Context.environment["EDGE_HOST_EMBEDDED"] == "1"

let swiftSettings: [SwiftSetting] =
  [.enableExperimentalFeature("Lifetimes")]
  + (embedded
    ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-Osize"])]
    : [])

let package = Package(
  name: "edge-host",
  products: [
    .executable(name: "edge-host", targets: ["EdgeHost"])
  ],
  targets: [
    .target(name: "CLinux"),
    .systemLibrary(name: "CYAML"),
    .target(name: "Transport", dependencies: ["CLinux"], swiftSettings: swiftSettings),
    .target(name: "Lattice", dependencies: ["Transport"], swiftSettings: swiftSettings),
    .target(
      name: "GPIOProvider", dependencies: ["CLinux", "Lattice", "Transport"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "EdgeHost", dependencies: ["CLinux", "CYAML", "GPIOProvider", "Lattice", "Transport"],
      swiftSettings: swiftSettings),
    .testTarget(name: "TransportTests", dependencies: ["Transport"]),
    .testTarget(name: "LatticeTests", dependencies: ["GPIOProvider", "Lattice", "Transport"]),
    .testTarget(name: "GPIOProviderTests", dependencies: ["GPIOProvider", "Lattice", "Transport"]),
    .testTarget(
      name: "EdgeHostTests", dependencies: ["EdgeHost", "GPIOProvider", "Lattice", "Transport"]),
  ],
  swiftLanguageModes: [.v6]
)
