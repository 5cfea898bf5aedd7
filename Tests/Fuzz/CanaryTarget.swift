// Invariant: broken on purpose. A trap is planted behind a whole frame with one certain payload; a set-up
// that does not find it within seconds would find nothing else either.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var buffer = ReadBuffer(capacity: 128)
  let input = UnsafeBufferPointer(start: data, count: count).prefix(128)
  buffer.withFreeSpace { free in
    free.copyBytes(from: input)
    return input.count
  }
  var parser = Parser()
  guard case .message(let message)? = try? parser.next(in: &buffer) else { return 0 }
  let payload = buffer.bytes.extracting(message.payload)
  require(!(payload.count == 2 && payload[0] == 0x78 && payload[1] == 0x21))
  return 0
}
