// Invariant: whatever the bytes, the parser gives frames or one ParseError and nothing else; what it
// gives does not depend on how the bytes were cut; every range lies inside the buffer, and the parts of
// a message stand in order.
//
// The first byte of the input chooses the buffer's capacity, the second how the bytes are cut.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  guard input.count >= 2 else { return 0 }
  let capacity = 64 + Int(input[0])
  let bytes = input[2...]
  let byByte = Outcome(bytes, cutting: { _ in 1 }, capacity: capacity)
  require(Outcome(bytes, cutting: { _ in .max }, capacity: capacity) == byByte)
  var random = RandomGenerator(seed: UInt64(input[1]))
  require(
    Outcome(bytes, cutting: { 1 + Int(random.next(through: UInt64($0))) }, capacity: capacity)
      == byByte)
  return 0
}

/// Everything a parser says about some bytes.
private struct Outcome: Equatable {
  var frames: [[[UInt8]]] = []
  var error: ParseError?
  var rest = 0

  init(_ bytes: ArraySlice<UInt8>, cutting: (Int) -> Int, capacity: Int) {
    var parser = Parser()
    var buffer = ReadBuffer(capacity: capacity)
    var left = bytes
    while !left.isEmpty {
      var taken = 0
      let piece = min(cutting(capacity), left.count)
      buffer.withFreeSpace { free in
        taken = min(free.count, piece)
        free.copyBytes(from: left.prefix(taken))
        return taken
      }
      // A full buffer that the parser wants more bytes for could never go on.
      require(taken > 0)
      left = left.dropFirst(taken)
      do throws(ParseError) {
        while let frame = try parser.next(in: &buffer) { add(frame, buffer) }
      } catch {
        self.error = error
        rest = 0
        return
      }
    }
    rest = buffer.count
  }

  /// Adds a frame; the parts of a large message are joined, because their sizes depend on the cutting.
  private mutating func add(_ frame: Frame, _ buffer: borrowing ReadBuffer) {
    guard case .messagePart(let range, let offset) = frame else {
      return frames.append(parts(frame, buffer))
    }
    if offset == 0 { frames.append([[8], []]) }
    let joined = frames[frames.count - 1]
    require(joined[0] == [8] && UInt64(joined[1].count) == offset)
    frames[frames.count - 1][1] += copy(range, buffer)
  }
}

private func parts(_ frame: Frame, _ buffer: borrowing ReadBuffer) -> [[UInt8]] {
  switch frame {
  case .info(let range): return [[1], copy(range, buffer)]
  case .message(let message):
    require(message.subject.upperBound <= message.headers.lowerBound)
    require(message.reply.isEmpty || message.reply.lowerBound > message.subject.upperBound)
    require(message.headers.upperBound == message.payload.lowerBound)
    require(message.payload.upperBound <= buffer.start - 2)
    return [
      [2], Array("\(message.subscription)".utf8), copy(message.subject, buffer),
      copy(message.reply, buffer), copy(message.headers, buffer), copy(message.payload, buffer),
    ]
  case .oversizedMessage(let message, let size):
    require(message.headers.isEmpty && message.payload.isEmpty)
    return [
      [3], Array("\(message.subscription) \(size)".utf8), copy(message.subject, buffer),
      copy(message.reply, buffer),
    ]
  case .messagePart: return []
  case .ping: return [[4]]
  case .pong: return [[5]]
  case .ok: return [[6]]
  case .error(let range): return [[7], copy(range, buffer)]
  }
}

private func copy(_ range: Range<Int>, _ buffer: borrowing ReadBuffer) -> [UInt8] {
  buffer.bytes.extracting(range).array
}
