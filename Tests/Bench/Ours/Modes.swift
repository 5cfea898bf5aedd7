import CBench
import Transport

private func payload() -> [UInt8] { [UInt8](repeating: 0x78, count: size) }

/// As fast as the outbox takes them, and then until the server has taken them too.
func publish(_ session: Session) throws(SystemError) {
  try session.connect()
  let bytes = payload()
  try publish(total / 10, bytes, session)
  var mark = bench_begin()
  try publish(total, bytes, session)
  let allocations = bench_allocations()
  try session.drain()
  // To close is no part of a message.
  mark.allocations += bench_allocations() - allocations
  bench_end(mark, Int64(total))
}

private func publish(_ count: Int, _ bytes: [UInt8], _ session: Session) throws(SystemError) {
  let subject = session.subject
  var accepted = 0
  var isFull = false
  while accepted < count {
    if publish(to: subject.span, bytes.span, session) {
      accepted += 1
      isFull = false
    } else if isFull {
      try session.loop.turn()
    } else {
      session.write()
      isFull = true
    }
  }
}

/// False when the queue is full.
private func publish(
  to subject: Span<UInt8>, _ bytes: Span<UInt8>, _ session: Session,
  as trafficClass: TrafficClass = .facts
) -> Bool {
  let none = Span<UInt8>()
  do throws(PublishError) {
    try session.client.publish(
      OutgoingMessage(
        subject: subject, reply: none, headers: none, payload: bytes),
      as: trafficClass, expires: Instant(nanoseconds: .max))
    return true
  } catch {
    if error != .outboxFull { bench_fail("publish") }
    return false
  }
}

func receive(_ session: Session) throws(SystemError) {
  var mark = bench_mark()
  var received = 0
  session.subscribe { _ in
    received += 1
    if received == total / 10 { mark = bench_begin() }
    if received == total { bench_end(mark, Int64(total - total / 10)) }
  }
  try session.connect()
  bench_say("ready")
  while received < total { try session.loop.turn() }
}

func request(_ session: Session) throws(SystemError) {
  try session.connect()
  let subject = session.subject
  let bytes = payload()
  let warm = total / 10
  var times = [Int64](repeating: 0, count: total)
  var mark = bench_mark()
  var isAnswered = false
  let answered: (borrowing RequestOutcome) -> Void = { outcome in
    if case .failed = outcome { bench_fail("request") }
    isAnswered = true
  }
  for number in -warm..<total {
    if number == 0 { mark = bench_begin() }
    isAnswered = false
    let start = bench_now()
    request(subject.span, bytes.span, session, answered)
    session.write()
    while !isAnswered { try session.loop.turn() }
    if number >= 0 { times[number] = bench_now() - start }
  }
  bench_end(mark, Int64(total))
  bench_report_times("request", &times, Int64(total))
}

private func request(
  _ subject: Span<UInt8>, _ bytes: Span<UInt8>, _ session: Session,
  _ answered: @escaping (borrowing RequestOutcome) -> Void
) {
  let none = Span<UInt8>()
  do throws(PublishError) {
    try session.client.request(
      subject: subject, headers: none, payload: bytes, as: .commands, timeout: .seconds(5),
      completion: answered)
  } catch {
    bench_fail("request")
  }
}

func respond(_ session: Session) throws(SystemError) {
  session.subscribe { message in
    _ = publish(to: message.reply, message.payload, session, as: .replies)
  }
  try session.connect()
  bench_say("ready")
  try session.loop.run()
}

func idle(_ session: Session) throws(SystemError) {
  session.subscribe { _ in }
  try session.connect()
  bench_say("ready")
  try session.loop.run()
}

/// Tells of what comes and goes.
func watch(_ session: Session) throws(SystemError) {
  session.subscribe { _ in bench_event("message") }
  try session.connect()
  session.isWatched = true
  bench_say("ready")
  try session.loop.run()
}

/// Readings of so many sensors, `total` a second, and after some time a message that is urgent.
func urgent(_ session: Session) throws(SystemError) {
  try session.connect()
  let bytes = payload()
  let interval = Duration.nanoseconds(1_000_000_000 / Int64(max(total, 1)))
  var count = 0
  var next = EventLoop.now
  var timer: Timer?
  timer = Timer(on: session.loop) { _ in
    if count == total * Int(BENCH_FILL_SECONDS) {
      bench_event("urgent")
      let subject = Array("bench.urgent".utf8)
      _ = publish(to: subject.span, bytes.span, session, as: .commands)
    }
    var subject = Array("bench.reading.".utf8)
    subject.append(decimal: UInt64(count % Int(BENCH_SENSORS)))
    _ = publish(to: subject.span, bytes.span, session, as: .readings)
    count += 1
    next = next + interval
    timer?.set(next)
  }
  timer?.set(next)
  bench_say("ready")
  try session.loop.run()
}
