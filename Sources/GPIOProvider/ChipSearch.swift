import CLinux
import Transport

/// Lines that one request takes.
struct RequestPlan {
  struct Line {
    /// The place among the board's requests.
    var index: Int
    var offset: UInt32
  }

  /// The open chip.
  var chip: Int32
  var chipPath: String
  var lines: [Line]
}

/// Opens the board's chips once, finds all wanted lines on them, and says which are taken together.
struct ChipSearch {
  private let requests: [LineRequest]
  private let devicePath: String
  private var opened: [(descriptor: Int32, path: String)] = []

  init(_ requests: [LineRequest], devicePath: String) {
    self.requests = requests
    self.devicePath = devicePath
  }

  /// Closes the chips; requests outlive them.
  mutating func close() {
    for chip in opened { _ = linux_gpio_close(chip.descriptor) }
    opened.removeAll()
  }

  /// Finds the lines; those that cannot be found get their errors.
  mutating func plan(_ results: inout [Result<LineHandle, BoardError>]) -> [RequestPlan] {
    var searches = requests.map { LineSearch(chip: $0.line.chip, location: $0.line.location) }
    GPIOChip.forEach(devicePath: devicePath) { path in
      let group = DeviceGroup.name(of: path)
      for index in searches.indices { searches[index].wasDenied(path, group: group) }
    } _: { chip, descriptor in
      consider(chip, descriptor, &searches)
      opened.append((descriptor, chip.path))
      return true
    }
    var plans: [(key: Key, plan: RequestPlan)] = []
    for index in searches.indices {
      do throws(BoardError) {
        add(index, try searches[index].result(), to: &plans)
      } catch {
        results[index] = .failure(error)
      }
    }
    return plans.map { $0.plan }
  }

  private func consider(_ chip: GPIOChip, _ descriptor: Int32, _ searches: inout [LineSearch]) {
    // One line's name is asked for once, however many lines are looked for.
    var names: [String?] = []
    for index in searches.indices {
      searches[index].consider(chip, index: opened.count) { offset in
        while names.count <= Int(offset) {
          let next = UInt32(clamping: names.count)
          names.append(GPIOChip.lineInfo(descriptor, next).map { kernelText($0.name) })
        }
        return names[Int(offset)]
      }
    }
  }

  /// What lines must share to be taken together.
  private struct Key: Equatable {
    var chip: Int
    var isOutput: Bool
    var group: Int?
  }

  private func add(
    _ index: Int, _ match: LineSearch.Match, to plans: inout [(key: Key, plan: RequestPlan)]
  ) {
    let request = requests[index]
    let chip = opened[match.chip]
    let line = RequestPlan.Line(index: index, offset: match.offset)
    let key = Key(
      chip: match.chip, isOutput: request.line.direction == .output, group: request.group)
    // One that somebody else has would fail the whole request.
    let isUsed =
      GPIOChip.lineInfo(chip.descriptor, match.offset)
      .map { KernelLineFlags(rawValue: $0.flags).contains(.used) } ?? false
    let isAlone = isUsed || (request.line.reportsEdges && request.group == nil)
    if !isAlone {
      for place in plans.indices
      where plans[place].key == key && plans[place].plan.lines.count < Int(LINUX_GPIO_LINES_MAX) {
        plans[place].plan.lines.append(line)
        return
      }
    }
    // No line that comes later joins one that is alone.
    let ownKey = isAlone ? Key(chip: -1, isOutput: key.isOutput, group: nil) : key
    plans.append(
      (ownKey, RequestPlan(chip: chip.descriptor, chipPath: chip.path, lines: [line])))
  }
}
