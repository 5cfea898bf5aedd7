import GPIOProvider
import Lattice
import Transport

/// `edge-host safe`: puts every output of a manifest into its safe state, on the kernel's lines
/// themselves. systemd runs it after the host has ended, however that was.
///
/// Each line is taken as an output with its safe value in one call, and given back. What it does then
/// is the kernel's: Raspberry Pi's kernels go on driving it, others may make it an input.
enum SafeCommand {
  /// - Returns: 0 when every output is safe.
  static func run(_ file: ManifestPath, json: Bool) throws(SystemError) -> Int32 {
    let manifest: Manifest
    do throws(ManifestErrors) {
      manifest = try ManifestFile.load(
        file.path, expandingEnvironment: file.expandsEnvironment, checkingFiles: false)
    } catch {
      StandardStream.error.write(error.text)
      return 2
    }
    let loop = try EventLoop()
    let board = LinuxBoard(loop: loop, consumer: "edge-host safe")
    var status: Int32 = 0
    for capability in manifest.capabilities {
      guard case .gpio(let kind, let lines, _) = capability else { continue }
      if kind == .simulated {
        OperatorSession.complain("the board is simulated: there is nothing to be put anywhere")
        continue
      }
      if !makeSafe(lines, on: board, json: json) { status = 1 }
    }
    return status
  }

  /// Does what can be done with each line, and reports it.
  static func makeSafe(
    _ lines: [LineConfiguration], on board: any Board, json: Bool,
    pwmRoot: String = "/sys/class/pwm"
  ) -> Bool {
    var areSafe = true
    for line in lines where line.direction == .output {
      var problem: Text?
      do throws(BoardError) {
        if line.kind == .pwm && line.pwm.chip != nil {
          try line.stopChannel(root: pwmRoot)
        } else if line.output.safe != .keep {
          let direct = DirectLines(board)
          try direct.take(line, active: line.output.safe == .active)
          direct.release()
        }
      } catch {
        problem = error.text
      }
      if let problem {
        areSafe = false
        OperatorSession.complain(problem)
      }
      StandardStream.output.write(report(line, problem, json: json))
    }
    return areSafe
  }

  static func report(_ line: LineConfiguration, _ problem: Text?, json: Bool) -> Text {
    let state = line.output.safe.text
    if json {
      var record = Record()
      record.append("name", .string(line.name))
      record.append("safe", .string(state))
      record.append("done", .bool(problem == nil))
      if let problem { record.append("error", .string(problem.string)) }
      return "\(record.jsonBytes.span)\n"
    }
    if problem != nil { return Text() }
    return line.output.safe == .keep ? "\(line.name): left as it is\n" : "\(line.name): \(state)\n"
  }
}
