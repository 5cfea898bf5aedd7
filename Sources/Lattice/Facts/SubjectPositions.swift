import Transport

/// What is known of a subject in the stream that keeps it.
struct SubjectPosition: Equatable {
  let subject: [UInt8]
  var stream: [UInt8]
  /// The sequence of its last message; 0 when there is none.
  var last: UInt64
  /// Whether none of the facts that an earlier run has left is among the messages up to there.
  var isSeen: Bool
}

/// The subjects of the facts that went last. What is forgotten has to be looked up again.
struct SubjectPositions {
  /// A board has some tens of lines and sensors that tell facts; at about 100 bytes each.
  static let capacity = 128

  private var positions: [SubjectPosition] = []
  /// Which gives way next.
  private var oldest = 0

  subscript(_ subject: [UInt8]) -> SubjectPosition? {
    index(of: subject).map { positions[$0] }
  }

  /// A stream has taken a message behind the last that was known of its subject.
  mutating func advance(_ subject: [UInt8], in stream: [UInt8], to sequence: UInt64) {
    guard let index = index(of: subject), positions[index].stream == stream else { return }
    positions[index].last = sequence
  }

  mutating func set(_ position: SubjectPosition) {
    if let index = index(of: position.subject) {
      positions[index] = position
    } else if positions.count < SubjectPositions.capacity {
      positions.append(position)
    } else {
      positions[oldest] = position
      oldest = (oldest + 1) % SubjectPositions.capacity
    }
  }

  mutating func remove(_ subject: [UInt8]) {
    guard let index = index(of: subject) else { return }
    positions.remove(at: index)
    oldest = 0
  }

  private func index(of subject: [UInt8]) -> Int? {
    positions.firstIndex { $0.subject == subject }
  }
}
