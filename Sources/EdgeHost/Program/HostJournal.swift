import Lattice
import Transport

/// Where the host's journal is, and its making.
enum HostJournal {
  /// Where systemd makes it, when it does not say.
  private static let runtimeFolder = "/run/edge-host"

  /// A journal for this run of the host, not yet open.
  static func make(
    _ settings: Manifest.Journal, for host: LatticeHost, on loop: EventLoop, _ log: Log
  ) -> Journal {
    var disk: JournalFile?
    if settings.configuration.size > 0 {
      disk = path(settings).map { JournalFile(path: $0, .disk, loop: loop) }
      if disk == nil {
        log.info(
          "facts wait in memory only: the manifest names no journal and there is no $STATE_DIRECTORY"
        )
      }
    }
    let run = JournalRun(id: host.identity.id.bytes, boot: host.clock.boot.bytes)
    // Beside a folder that is not there it is done without.
    let tail = JournalFile(path: tailPath, .tail, loop: nil)
    return Journal(settings.configuration, run: run, disk: disk, tail: tail)
  }

  /// The file on the disk; nil when nobody has said where.
  static func path(_ settings: Manifest.Journal) -> String? {
    settings.path ?? folder("STATE_DIRECTORY").map { $0 + "/journal" }
  }

  /// What survives the process, but not the machine.
  static var tailPath: String {
    (folder("RUNTIME_DIRECTORY") ?? runtimeFolder) + "/journal"
  }

  /// The variables may name several folders; the first is ours (systemd.exec(5)).
  private static func folder(_ variable: String) -> String? {
    guard let folders = ManifestEnvironment.lookUp(variable), !folders.utf8.isEmpty else {
      return nil
    }
    return folders.cut(at: UInt8(ascii: ":"))?.before ?? folders
  }
}
