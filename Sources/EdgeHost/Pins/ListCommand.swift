import GPIOProvider
import Lattice
import Transport

/// `edge-host gpio list`: chips and lines, as the kernel has them. It needs no manifest and no host.
enum ListCommand {
  static func run(_ request: GPIORequest) -> Int32 {
    let found = GPIOChips.list()
    var status: Int32 = 0
    for path in found.deniedPaths {
      OperatorSession.complain("\(BoardError.denied(path))")
      status = 1
    }
    if found.chips.isEmpty {
      if status == 0 { OperatorSession.complain("there is no GPIO chip at /dev/gpiochip*") }
      return 1
    }
    guard let chips = chosen(of: found.chips, request.names) else { return 1 }
    for chip in chips {
      StandardStream.output.write(request.json ? "\(chip.record.jsonBytes.span)\n" : chip.text)
    }
    return status
  }

  /// The chips that are named: by name, label, number or device; all when none is.
  static func chosen(of chips: [ListedChip], _ names: [String]) -> [ListedChip]? {
    if names.isEmpty { return chips }
    var chosen: [ListedChip] = []
    for name in names {
      guard let chip = chips.first(where: { $0.isMeant(by: name) }) else {
        let present = chips.map { $0.name + " [" + $0.label + "]" }
        OperatorSession.complain("\(BoardError.noSuchChip(chip: name, present: present))")
        return nil
      }
      chosen.append(chip)
    }
    return chosen
  }
}

extension ListedChip {
  func isMeant(by text: String) -> Bool {
    text == name || text == label || "gpiochip" + text == name || text == "/dev/" + name
  }
}
