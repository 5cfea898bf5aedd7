import GPIOProvider
import Lattice
import Transport

/// What one host offers and how it is reached: the whole of its configuration. `docs/manifest.md`
/// describes each key for operators.
struct Manifest: Equatable {
  var host = Host()
  /// In the order of the file.
  var labels: [Label] = []
  var link = Link()
  var requests = Requests()
  var services = Services()
  var journal = Journal()
  var capabilities: [Capability] = []

  struct Host: Equatable {
    /// nil: the kernel's host name.
    var name: String?
    var lattice = "default"
    var log = LogLevel.info
    /// How often the host says that it is there; the link's profile says so unless it is given.
    var presence = Duration.seconds(30)
    /// Where counts and the last states of outputs are kept; nil: where systemd says, else nowhere.
    var state: String?
    /// False: they are not kept, whatever systemd says.
    var keepsState = true
    /// The path of the socket for programs on the board itself; nil: there is none.
    var socket: String? = LocalSocket.defaultPath
  }

  /// Tells hosts apart for those who look for one.
  struct Label: Equatable {
    var name: String
    var value: String
  }

  struct Link: Equatable {
    /// In order of preference. Never empty in a manifest that was loaded.
    var servers: [ServerURL] = []
    var authentication = Authentication.none
    /// Given: no server is spoken to without TLS.
    var tls: TLSConfiguration?
    /// Whether servers that a server tells of are left alone.
    var ignoresDiscoveredServers = false
    /// Also how it is watched, retried and filled.
    var limits = ConnectionLimits()
  }

  struct Requests: Equatable {
    /// How old a request may be that does not say so itself; nil: as old as it likes.
    var timeout: Duration?
  }

  /// What plain NATS clients may do.
  struct Services: Equatable {
    var takesCommands = true
    /// Commands a second from one caller, and as many at once.
    var commandRate = UInt32(ServicesDialect.commandRateDefault)
  }

  /// What must not be lost, until somebody who keeps it has it.
  struct Journal: Equatable {
    var configuration = JournalConfiguration()
    /// Its file; nil: where systemd says, else there is none.
    var path: String?
    var guarantee = FactGuarantee.acknowledged

    init() {
      // As operators write them.
      configuration.size = 16_000_000
      configuration.memory = 64_000
    }
  }

  enum Board: Equatable {
    /// The kernel's GPIO character devices and sensors.
    case linux
    /// Scripted lines and sensors.
    case simulated
  }

  /// A builtin capability provider; each is there at most once.
  enum Capability: Equatable {
    case gpio(
      board: Board, lines: [LineConfiguration], interlocks: [InterlockConfiguration])
    case sensors([SensorConfiguration])
  }
}
