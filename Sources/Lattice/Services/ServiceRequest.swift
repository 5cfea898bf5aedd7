import Transport

/// A request of the services dialect, taken apart: its arguments, and the instant after which it must
/// not be executed.
struct ServiceRequest {
  let arguments: Record
  let deadline: Instant?

  /// Header with the caller's deadline, RFC 3339.
  static let deadlineHeader: StaticString = "Edge-Deadline"

  init(_ message: borrowing IncomingMessage, time: any TimeSource) throws(InvocationError) {
    if let bytes = message.oversizedBytes {
      throw InvocationError(
        .tooLarge, "the message of \(bytes) bytes is larger than this host's read buffer")
    }
    deadline = try ServiceRequest.deadline(message.headers, time: time)
    do throws(JSONError) {
      arguments = try Record(json: message.payload)
    } catch {
      throw InvocationError(.badRequest, "the body is not the JSON object it must be: \(error)")
    }
  }

  /// The deadline is wall-clock time, the caller's; what is left of it by our clock is what counts.
  private static func deadline(
    _ headers: Span<UInt8>, time: any TimeSource
  ) throws(InvocationError) -> Instant? {
    if headers.isEmpty { return nil }
    // A deadline may be among what cannot be read.
    guard let reader = HeaderReader(headers) else {
      throw InvocationError(.badRequest, "the headers are malformed")
    }
    guard let value = reader.value(of: deadlineHeader) else { return nil }
    let text = headers.extracting(value)
    guard let timestamp = Timestamp(rfc3339: text) else {
      throw InvocationError(
        .badRequest, "\(deadlineHeader) \(quoted: text.array) is no RFC 3339 time")
    }
    let remaining =
      Instant(nanoseconds: timestamp.nanoseconds)
      - Instant(nanoseconds: time.wallClock.nanoseconds)
    return time.now + remaining
  }
}
