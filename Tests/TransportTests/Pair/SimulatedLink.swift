@testable import Transport

/// What the way between a client and its servers is like.
struct LinkConditions {
  /// One way.
  var latency = Duration.milliseconds(20)
  /// Added to the latency, from zero through this; bytes never overtake each other.
  var jitter = Duration.zero
  /// Bytes come in pieces of one to this many.
  var pieceBytesMax = Int.max
  /// Nil: as fast as they are sent.
  var bytesPerSecond: Int64?
  /// What the client's kernel takes before the socket stops being writable.
  var sendBufferBytes = 64 * 1024
  /// What is sent before this instant is lost, and sent again and again by the kernel, each time after
  /// twice the time, until it gets through.
  var isLossyUntil = Instant(nanoseconds: .min)

  /// When a segment leaves that is to leave at `instant`, and gets through.
  func departure(of instant: Instant) -> Instant {
    var departure = instant
    var timeout = Duration(nanoseconds: max(latency.nanoseconds * 3, 200_000_000))
    while departure < isLossyUntil {
      departure = departure + timeout
      timeout = min(timeout * 2, .seconds(120))
    }
    return departure
  }
}

/// One direction of a simulated TCP connection: bytes go in now and come out later, in order.
struct SimulatedStream {
  private struct Piece {
    var bytes: [UInt8]
    var arrival: Instant
  }

  private var pieces: [Piece] = []
  /// Index of the oldest piece: `pieces` is cut off only now and then.
  private var first = 0
  private var lastArrival = Instant(nanoseconds: .min)
  private var isBusyUntil = Instant(nanoseconds: .min)
  /// Bytes under way.
  private(set) var count = 0
  /// When the receiver learns that no more bytes come.
  private(set) var end: Instant?

  mutating func send(
    _ bytes: [UInt8], over link: LinkConditions, at now: Instant, _ random: inout RandomGenerator
  ) {
    if bytes.isEmpty || end != nil { return }
    let isWhole = link.pieceBytesMax == .max
    for piece in isWhole ? [bytes] : random.chop(bytes, maximum: link.pieceBytesMax) {
      let arrival = arrivalTime(of: piece.count, over: link, at: now, &random)
      pieces.append(Piece(bytes: piece, arrival: arrival))
      count += piece.count
    }
  }

  /// The sender closes: the receiver learns it behind the last byte.
  mutating func finish(over link: LinkConditions, at now: Instant) {
    if end == nil { end = max(lastArrival, now + link.latency) }
  }

  /// Takes at most `capacity` bytes that have arrived.
  mutating func receive(_ capacity: Int, at now: Instant) -> [UInt8] {
    var taken: [UInt8] = []
    while first < pieces.count, pieces[first].arrival <= now, taken.count < capacity {
      let room = capacity - taken.count
      if pieces[first].bytes.count <= room {
        taken += pieces[first].bytes
        first += 1
      } else {
        taken += pieces[first].bytes[..<room]
        pieces[first].bytes.removeFirst(room)
      }
    }
    if first > 64, first * 2 > pieces.count {
      pieces.removeFirst(first)
      first = 0
    }
    count -= taken.count
    return taken
  }

  func hasEnded(at now: Instant) -> Bool { count == 0 && end.map { $0 <= now } ?? false }

  /// When there is something to receive: bytes, or the end.
  var arrival: Instant? { first < pieces.count ? pieces[first].arrival : end }

  private mutating func arrivalTime(
    of size: Int, over link: LinkConditions, at now: Instant, _ random: inout RandomGenerator
  ) -> Instant {
    var sent = max(now, isBusyUntil)
    if let rate = link.bytesPerSecond {
      sent = sent + Duration(nanoseconds: Int64(size) * 1_000_000_000 / max(rate, 1))
      isBusyUntil = sent
    }
    let arrival = link.departure(of: sent) + link.latency
    let jitter = link.jitter == .zero ? .zero : random.duration(through: link.jitter)
    lastArrival = max(lastArrival, arrival + jitter)
    return lastArrival
  }
}

/// A simulated TCP connection between an `Endpoint` and a server.
final class SimulatedSocket {
  let server: ModelServer
  let client: ModelServer.ClientID
  var up = SimulatedStream()
  var down = SimulatedStream()
  /// The way is lost for good and nobody has been told: bytes vanish.
  var isDead = false
  /// Bytes that the kernel holds for a way that is lost.
  var heldBytes = 0
  /// What the server's machine has, and since when.
  var acknowledged: UInt64 = 0
  var acknowledgedAt: Instant?

  init(server: ModelServer, client: ModelServer.ClientID) {
    self.server = server
    self.client = client
  }
}
