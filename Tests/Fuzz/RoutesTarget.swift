// Invariant: any bytes give a bounded number of events, of which only the last is `.lost` for what is
// malformed; what was whole before a cut gives the same events; and reading is repeatable.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  let whole = events(input)
  require(whole.count <= count / 16 + 1)
  require(events(input) == whole)
  for length in stride(from: 0, to: count, by: 7) {
    var cut = events(Array(input[..<length]))
    if cut.last == .lost { cut.removeLast() }
    require(cut.count <= whole.count && Array(whole[..<cut.count]) == cut)
  }
  for event in whole where event != .lost {
    require(NetworkAdvice(for: event, local: nil) <= .tryNow)
  }
  return 0
}

private func events(_ bytes: [UInt8]) -> [NetworkEvent] {
  var events: [NetworkEvent] = []
  var reader = RouteMessageReader(bytes.span)
  while let event = reader.next() { events.append(event) }
  return events
}
