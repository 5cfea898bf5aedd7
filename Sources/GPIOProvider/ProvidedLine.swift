import Lattice
import Transport

/// A line as the provider holds it: what it is made of, what the hardware gave for it, and what is told
/// of it. Each kind of line has a class of its own that says what its edges and its time mean.
class ProvidedLine {
  let configuration: LineConfiguration
  /// What the board gave, in the order of `parts`.
  var handles: [LineHandle] = []
  /// Why it is not taken, when it should be.
  var problem: BoardError?
  var isProblemTold = false
  /// Tries that found a device which is not ready yet.
  var settlingTries = 0
  /// The number of the line's last event.
  var lastSequence: Int64 = 0
  /// Whether those who listen have not been told of its present state.
  var isStateUntold = false
  /// It had an event since the link was made, of which nobody knows whether it arrived.
  var isInDoubt = false
  /// The debounce period that the hardware keeps.
  var debounce = Duration.zero

  init(_ configuration: LineConfiguration) { self.configuration = configuration }

  var isTaken = false

  /// What is asked of the board: one line, an encoder's two, or none.
  var parts: [LineConfiguration] { [configuration] }
  /// The operations of the contract that it takes.
  var operations: [String] { ["get"] }

  /// The board has given the line.
  /// - Parameter values: of its parts.
  func begin(_ values: [Bool], at now: Instant) { isStateUntold = true }
  /// The line is lost or given back.
  func end() {}

  /// An edge of the line.
  /// - Parameter part: the place among `parts`.
  /// - Returns: what is to be told.
  func handle(_ edge: EdgeEvent, ofPart part: Int) -> [LineNews] { [] }

  /// When `handleDeadline` wants to be called next.
  var deadline: Instant? { nil }
  func handleDeadline(at now: Instant) -> [LineNews] { [] }

  /// What is answered to whoever asks, besides name, direction, time and number.
  /// - Parameter values: of its parts.
  func state(_ values: [Bool]) -> Record {
    var record = Record()
    let isActive = values.first ?? false
    record.append("active", .bool(isActive))
    record.append("level", .integer(level(active: isActive)))
    return record
  }

  /// What is told of it in its description, besides what the manifest says.
  func describe(_ properties: inout Record) {}

  /// The level at the pin, for a logical value.
  func level(active: Bool) -> Int64 { active == configuration.activeLow ? 0 : 1 }
}

/// Something to tell of a line.
struct LineNews {
  /// The event's kind in the contract.
  var kind: String
  var time: Instant
  /// What stands before the number.
  var fields = Record()
  /// What stands behind the number.
  var details = Record()

  init(_ kind: String, at time: Instant) {
    self.kind = kind
    self.time = time
  }
}

/// What outlives the process: counts, and the last state of outputs.
public protocol LineMemory: AnyObject {
  /// The value that was remembered under a key; nil for none.
  func recall(_ key: String) -> Int64?
  /// - Parameter isUrgent: it should be safe within a second, else within some minutes.
  func remember(_ value: Int64, for key: String, isUrgent: Bool)
}
