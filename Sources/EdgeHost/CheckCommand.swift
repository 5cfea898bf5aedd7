import Transport

/// `edge-host check FILE`: says whether a manifest is good, and everything that is wrong with it.
/// It opens no line and no connection, so it runs anywhere.
enum CheckCommand {
  /// Returns the exit status: 0, or 2 when the manifest has mistakes.
  static func run(_ file: ManifestPath) -> Int32 {
    do throws(ManifestErrors) {
      let manifest = try ManifestFile.load(
        file.path, expandingEnvironment: file.expandsEnvironment, checkingFiles: !file.skipsFiles)
      let line: Text = "\(file.path): ok: \(summary(of: manifest))\n"
      StandardStream.output.write(line)
      return 0
    } catch {
      StandardStream.error.write(error.text)
      return 2
    }
  }

  /// `host dock-7 in lattice wh7, 2 lines, 1 sensor`
  static func summary(of manifest: Manifest) -> Text {
    var text: Text = "host \(manifest.host.name ?? "(named by the kernel)")"
    text += " in lattice \(manifest.host.lattice)"
    for capability in manifest.capabilities {
      switch capability {
      case .gpio(let board, let lines):
        text += ", \(count(lines.count, "line", "lines"))"
        if board == .simulated { text.append(" of a simulated board") }
      case .sensors(let sensors): text += ", \(count(sensors.count, "sensor", "sensors"))"
      }
    }
    return text
  }

  private static func count(_ count: Int, _ one: StaticString, _ many: StaticString) -> Text {
    "\(count) \(count == 1 ? one : many)"
  }
}
