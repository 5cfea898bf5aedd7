import Transport

/// `edge-host check FILE`: says whether a manifest is good, and everything that is wrong with it.
/// It opens no line and no connection, so it runs anywhere.
enum CheckCommand {
  /// - Parameter showsLimits: prints what the link may hold in memory.
  /// - Returns: the exit status: 0, or 2 when the manifest has mistakes.
  static func run(_ file: ManifestPath, showsLimits: Bool) -> Int32 {
    do throws(ManifestErrors) {
      let manifest = try ManifestFile.load(
        file.path, expandingEnvironment: file.expandsEnvironment, checkingFiles: !file.skipsFiles)
      let line: Text = "\(file.path): ok: \(summary(of: manifest))\n"
      StandardStream.output.write(line)
      if showsLimits { StandardStream.output.write(limits(of: manifest)) }
      return 0
    } catch {
      StandardStream.error.write(error.text)
      return 2
    }
  }

  /// A line for each thing that the link keeps, in bytes, and their sum: the most it ever holds.
  static func limits(of manifest: Manifest) -> Text {
    var table = Table()
    var sum = 0
    for bound in manifest.link.limits.memoryBounds {
      table.append([bound.name.description, ("\(bound.bytes) B" as Text).string])
      sum += bound.bytes
    }
    let journal = manifest.journal.configuration.memory
    table.append(["facts in memory", ("\(journal) B" as Text).string])
    sum += journal
    table.append(["together", ("\(sum) B" as Text).string])
    return table.text
  }

  /// `host dock-7 in lattice wh7, 2 lines, 1 sensor`
  static func summary(of manifest: Manifest) -> Text {
    var text: Text = "host \(manifest.host.name ?? "(named by the kernel)")"
    text += " in lattice \(manifest.host.lattice)"
    for capability in manifest.capabilities {
      switch capability {
      case .gpio(let board, let lines, _):
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
