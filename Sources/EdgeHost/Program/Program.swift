import CLinux
import Transport

/// The program: understands the command line and runs the command.
enum Program {
  static let version = "0.1.0"

  /// - Returns: the exit status.
  static func run(_ words: [String]) -> Int32 {
    do throws(UsageError) {
      return run(try Arguments.command(words, environment: ManifestEnvironment.lookUp))
    } catch {
      OperatorSession.complain("\(error.message) (edge-host --help tells more)")
      return 2
    }
  }

  private static func run(_ command: Command) -> Int32 {
    do throws(SystemError) {
      switch command {
      case .run(let manifest): return try HostProgram.run(manifest)
      case .check(let manifest, let showsLimits):
        return CheckCommand.run(manifest, showsLimits: showsLimits)
      case .hosts(let options): return try HostsCommand.run(options)
      case .call(let request, let options): return try CallCommand.run(request, options)
      case .watch(let request, let options): return try WatchCommand.run(request, options)
      case .gpio(let request): return try GPIOCommand.run(request)
      case .safe(let manifest, let json): return try SafeCommand.run(manifest, json: json)
      case .journal(let request): return try JournalCommand.run(request)
      case .version:
        let features: StaticString = TLSConfiguration.isAvailable ? ", with TLS" : ""
        StandardStream.output.write("edge-host \(version)\(features)\n")
      case .help: StandardStream.output.write(Usage.text)
      }
      return 0
    } catch {
      OperatorSession.complain("\(error)")
      return 1
    }
  }
}
