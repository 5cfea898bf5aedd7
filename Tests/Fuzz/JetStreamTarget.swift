// Invariant: any bytes are an answer of JetStream or a failure that names the place; a delivery's parts
// are those of its reply subject, and any status has a meaning; Base64 is decoded to three quarters of
// its length and never to more; and a key that is taken makes a subject without wildcards.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  answers(input)
  delivery(input)
  delivery(Array("$JS.ACK.".utf8) + input)
  _ = PullStatus(input.span)
  _ = PullStatus((Array("NATS/1.0 ".utf8) + input).span)
  if let bytes = decodeBase64(input.span) {
    require(bytes.count <= input.count / 4 * 3 && bytes.count + 2 >= input.count / 4 * 3)
  }
  if KeyValue.isValidKey(input.span) {
    require(Subject.isValid(input.span) && KeyValue.isValidKey(input.span, allowsWildcards: true))
  }
  return 0
}

private func answers(_ input: [UInt8]) {
  check(PubAck.read(input.span), input) { ack in
    require(ack.sequence > 0 && !ack.stream.utf8.isEmpty)
  }
  check(ConsumerInfo.read(input.span), input) { _ in }
  check(StoredMessage.read(input.span), input) { message in
    require(message.sequence > 0 && message.payload.count <= input.count)
  }
  _ = JetStreamError.failure(in: input.span)
}

private func check<Answer>(
  _ result: Result<Answer, JetStreamFailure>, _ input: [UInt8], _ body: (Answer) -> Void
) {
  switch result {
  case .success(let answer): body(answer)
  case .failure(.malformedAnswer(let error)): require(error.offset <= input.count)
  case .failure(.refused(let error)):
    // Half a character at the end becomes a replacement character of three bytes.
    require(error.reason.utf8.count <= JetStreamError.reasonBytesMax + 2)
  case .failure: require(false)
  }
}

private func delivery(_ reply: [UInt8]) {
  guard let delivery = Delivery(replySubject: reply.span) else { return }
  require(delivery.replySubject == reply)
  require(delivery.stored.nanoseconds >= 0)
  let tokens = reply.split(separator: 0x2E, omittingEmptySubsequences: false)
  let first = tokens.count == 9 ? 3 : 5
  require(delivery.isOf(consumer: Array(tokens[first])))
  require(Array(tokens[first + 2]).span.unsignedNumber == delivery.streamSequence)
}
