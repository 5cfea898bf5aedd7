import GPIOProvider
import Transport

/// What `edge-host gpio ...` is asked to do. A class, for it is carried in a case of `Command`.
final class GPIORequest: Equatable {
  enum Action: Equatable { case list, scan, names, get, set, pulse, watch }

  let action: Action
  /// Chips to be listed, or lines.
  var names: [String] = []
  /// For `set`, the state of each line.
  var values: [Bool] = []
  /// For `pulse`.
  var duration: Duration?
  var lease: Duration?
  /// For `set` without a host: how long the lines are held; nil: until interrupted.
  var hold: Duration?
  /// Lines are offsets, or names, of this chip, and no host is asked.
  var chip: String?
  /// The running host's socket; nil: the usual one, if there is a host.
  var socket: String?
  /// The file that `scan` writes; nil: standard output.
  var manifest: String?
  var isActiveLow = false
  var bias = LineConfiguration.Bias.asIs
  var isNumeric = false
  var json = false
  var count: Int64?
  var timeout: Duration?

  init(_ action: Action) { self.action = action }

  static func == (left: GPIORequest, right: GPIORequest) -> Bool {
    left.action == right.action && left.names == right.names && left.values == right.values
      && left.duration == right.duration && left.lease == right.lease && left.hold == right.hold
      && left.chip == right.chip && left.socket == right.socket && left.manifest == right.manifest
      && left.isActiveLow == right.isActiveLow && left.bias == right.bias
      && left.isNumeric == right.isNumeric && left.json == right.json && left.count == right.count
      && left.timeout == right.timeout
  }
}

/// `edge-host gpio ...`: through the running host where there is one, else directly.
enum GPIOCommand {
  static func run(_ request: GPIORequest) throws(SystemError) -> Int32 {
    switch request.action {
    case .list: return ListCommand.run(request)
    case .scan: return ScanCommand.run(request)
    case .names, .get, .set, .pulse, .watch: break
    }
    if request.chip == nil {
      let path = request.socket ?? LocalSocket.defaultPath
      do throws(SystemError) {
        return try LocalCommand.run(request, at: path)
      } catch {
        // Nobody listens there: there is no host, unless one was named.
        if request.socket != nil || !error.tellsOfNoHost {
          OperatorSession.complain("\(path): \(error.reason)\(hint(error))")
          return 1
        }
      }
    }
    return try DirectCommand.run(request)
  }

  private static func hint(_ error: SystemError) -> StaticString {
    let accessDenied: Int32 = 13
    return error.code == accessDenied ? ": the user must be in its group (edge-host)" : ""
  }
}

extension SystemError {
  /// ENOENT, ENOTDIR and ECONNREFUSED.
  fileprivate var tellsOfNoHost: Bool { code == 2 || code == 20 || code == 111 }
}
