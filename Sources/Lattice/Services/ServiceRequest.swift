import Transport

/// A request of the services dialect, taken apart: its arguments, and the instant after which it must
/// not be executed.
struct ServiceRequest {
  let arguments: Record
  let deadline: Instant?

  /// - Parameters:
  ///   - takenAfter: what our server took the message after, if that is known.
  ///   - timeout: how old a request may be that does not say so.
  init(
    _ message: borrowing IncomingMessage, time: any TimeSource, takenAfter: Instant?,
    timeout: Duration?
  ) throws(InvocationError) {
    if let bytes = message.oversizedBytes {
      throw InvocationError(
        .tooLarge, "the message of \(bytes) bytes is larger than this host's read buffer")
    }
    let limit = try RequestLimit(message.headers)
    deadline = try limit.deadline(time: time, takenAfter: takenAfter, timeout: timeout)
    do throws(JSONError) {
      arguments = try Record(json: message.payload)
    } catch {
      throw InvocationError(.badRequest, "the body is not the JSON object it must be: \(error)")
    }
  }
}

/// Until when a caller wants a request executed, as its headers say.
struct RequestLimit: Equatable {
  /// The caller's wall clock, RFC 3339.
  static let deadlineHeader: StaticString = "Edge-Deadline"
  /// How old the request may be: a whole number and a unit.
  static let timeoutHeader: StaticString = "Edge-Timeout"

  var deadline: Timestamp?
  var timeout: Duration?

  init(_ headers: Span<UInt8>) throws(InvocationError) {
    if headers.isEmpty { return }
    // A deadline may be among what cannot be read.
    guard let reader = HeaderReader(headers) else {
      throw InvocationError(.badRequest, "the headers are malformed")
    }
    if let value = reader.value(of: RequestLimit.deadlineHeader) {
      let text = headers.extracting(value)
      deadline = Timestamp(rfc3339: text)
      if deadline == nil {
        throw InvocationError(
          .badRequest, "\(RequestLimit.deadlineHeader) \(quoted: text.array) is no RFC 3339 time")
      }
    }
    if let value = reader.value(of: RequestLimit.timeoutHeader) {
      let text = headers.extracting(value)
      timeout = RequestLimit.duration(text)
      if timeout == nil {
        throw InvocationError(
          .badRequest,
          "\(RequestLimit.timeoutHeader) \(quoted: text.array) is no duration such as 500ms or 2s")
      }
    }
  }

  /// The instant after which the request must not be executed; nil for none.
  ///
  /// A synchronised clock is compared with the caller's deadline, and that is all there is to know.
  /// Without one a deadline that has passed still counts, for a clock that was not set mostly runs
  /// behind; but one that has not passed proves nothing. Then the request's age is bounded by what
  /// our own server can have kept it: what may be too old is refused.
  func deadline(
    time: any TimeSource, takenAfter: Instant?, timeout: Duration?
  ) throws(InvocationError) -> Instant? {
    let now = time.now
    // What is left of the deadline by our clock is what counts.
    let byClock = deadline.map {
      now
        + (Instant(nanoseconds: $0.nanoseconds)
          - Instant(nanoseconds: time.wallClock.nanoseconds))
    }
    if byClock != nil && time.isSynchronised { return byClock }
    guard let allowed = self.timeout ?? timeout, let takenAfter else { return byClock }
    let byAge = takenAfter + allowed
    if byAge < now {
      throw InvocationError(
        .late,
        """
        the request may be stale: it may have waited for \((now - takenAfter).milliseconds) ms, and \
        \(allowed.milliseconds) ms are allowed; send it again
        """)
    }
    return Instant.earlier(byClock, byAge)
  }

  /// Digits and one of `ms`, `s`, `min` and `h`, with nothing between.
  private static func duration(_ text: Span<UInt8>) -> Duration? {
    var end = 0
    while end < text.count, text[end] >= 0x30, text[end] <= 0x39 { end += 1 }
    // Nine digits of any unit are no overflow.
    guard end > 0, end <= 9, let number = text.extracting(0..<end).unsignedNumber else {
      return nil
    }
    let unit = text.extracting(end..<text.count)
    let count = Int64(clamping: number)
    if unit.equals("ms") { return .milliseconds(count) }
    if unit.equals("s") { return .seconds(count) }
    if unit.equals("min") { return .seconds(count * 60) }
    return unit.equals("h") ? .seconds(count * 3_600) : nil
  }
}
