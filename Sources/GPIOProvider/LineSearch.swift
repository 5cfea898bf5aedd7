import Transport

/// Decides which of the board's lines a configuration means. It is shown the chips one after the
/// other and opens nothing itself.
struct LineSearch {
  struct Match: Equatable {
    /// As `consider` was told.
    var chip: Int
    var chipName: String
    var offset: UInt32
  }

  private let wantedChip: String?
  private let location: LineConfiguration.Location
  private var seen: [GPIOChip] = []
  private var matches: [Match] = []
  /// Where a Raspberry Pi's name for a line leads when no line has the name itself.
  private var headerMatches: [Match] = []
  private var denied: [(path: String, group: String?)] = []
  private var chipWasSeen = false
  /// The wanted chip was seen, but is not one that has a Raspberry Pi's header.
  private var otherWasSeen = false
  private var outOfRange: BoardError?

  init(chip: String?, location: LineConfiguration.Location) {
    wantedChip = chip
    self.location = location
  }

  /// Shows a chip.
  ///
  /// - Parameters:
  ///   - index: handed back in the match.
  ///   - lineName: the kernel's name of the line at an offset, nil when it does not say.
  mutating func consider(
    _ chip: GPIOChip, index: Int, lineName: (_ offset: UInt32) -> String?
  ) {
    // A Raspberry Pi 5 has links to chips beside the chips (gpiochip4 is gpiochip0): either name
    // will do, and it is still one chip.
    let isWanted =
      wantedChip.map { chip.name == $0 || chip.label == $0 || chip.path.lastComponent == $0 }
      ?? true
    if !seen.contains(where: { $0.name == chip.name }) { seen.append(chip) }
    if !isWanted || (matches + headerMatches).contains(where: { $0.chipName == chip.name }) {
      return
    }
    if case .bcm = location, !chip.isRaspberryPiHeader {
      otherWasSeen = true
      return
    }
    chipWasSeen = true
    switch location {
    case .offset(let offset), .bcm(let offset):
      if offset < chip.lineCount {
        matches.append(Match(chip: index, chipName: chip.name, offset: offset))
      } else {
        outOfRange = .offsetOutOfRange(
          offset: offset, chip: chip.name, lines: chip.lineCount)
      }
    case .name(let wanted):
      if chip.isRaspberryPiHeader, let offset = RaspberryPiHeader.bcmNumber(ofLineNamed: wanted),
        offset < chip.lineCount
      {
        headerMatches.append(Match(chip: index, chipName: chip.name, offset: offset))
      }
      for offset in 0..<chip.lineCount {
        guard let name = lineName(offset), name == wanted else { continue }
        matches.append(Match(chip: index, chipName: chip.name, offset: offset))
      }
    }
  }

  /// Says that a chip's device may not be opened, but by members of a group.
  mutating func wasDenied(_ path: String, group: String?) { denied.append((path, group)) }

  /// The one line that is meant.
  func result() throws(BoardError) -> Match {
    let matches = self.matches.isEmpty ? headerMatches : self.matches
    if matches.count > 1 {
      throw .ambiguousLine(line: locationText, chips: matches.map { placeText($0) })
    }
    if let match = matches.first { return match }
    if chipWasSeen, let outOfRange { throw outOfRange }
    // What may not be looked into may well hold the line; only a chip that was seen rules it out.
    if let denied = wantedDenied, !(chipWasSeen && wantedChip != nil) {
      throw .permissionDenied(path: denied.path, group: denied.group)
    }
    let present = seen.map { $0.name + " [" + $0.label + "]" }
    if let wantedChip, !chipWasSeen, !otherWasSeen {
      throw .noSuchChip(chip: wantedChip, present: present)
    }
    if case .bcm = location { throw .noHeader(present: present) }
    throw .noSuchLine(line: locationText, chip: wantedChip)
  }

  /// The denied device that has the wanted name, or else any.
  private var wantedDenied: (path: String, group: String?)? {
    for chip in denied {
      if let wantedChip, chip.path.lastComponent == wantedChip { return chip }
    }
    return denied.first
  }

  private var locationText: String {
    switch location {
    case .name(let name): name
    case .offset(let offset): ("\(offset)" as Text).string
    case .bcm(let number): ("BCM \(number)" as Text).string
    }
  }

  private func placeText(_ match: Match) -> String {
    ("\(match.chipName) line \(match.offset)" as Text).string
  }
}

extension String {
  /// What follows the last slash.
  fileprivate var lastComponent: String {
    let bytes = self.bytes
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return bytes[bytes.index(after: slash)...].string
  }
}
