@testable import Transport

/// A frame with its parts copied out of the read buffer.
enum SeenFrame: Equatable {
  case info(String)
  case message(sid: UInt32, String, reply: String = "", headers: [UInt8] = [], [UInt8])
  case oversized(sid: UInt32, String, reply: String = "", size: UInt64)
  case part([UInt8], offset: UInt64)
  case ping, pong, ok
  case error(String)

  init(_ frame: Frame, _ buffer: borrowing ReadBuffer) {
    func copy(_ range: Range<Int>, _ buffer: borrowing ReadBuffer) -> [UInt8] {
      buffer.bytes.extracting(range).array
    }
    switch frame {
    case .info(let range): self = .info(copy(range, buffer).string)
    case .message(let message):
      self = .message(
        sid: message.subscription, copy(message.subject, buffer).string,
        reply: copy(message.reply, buffer).string, headers: copy(message.headers, buffer),
        copy(message.payload, buffer))
    case .oversizedMessage(let message, let size):
      self = .oversized(
        sid: message.subscription, copy(message.subject, buffer).string,
        reply: copy(message.reply, buffer).string, size: size)
    case .messagePart(let range, let offset):
      self = .part(copy(range, buffer), offset: offset)
    case .ping: self = .ping
    case .pong: self = .pong
    case .ok: self = .ok
    case .error(let range): self = .error(copy(range, buffer).string)
    }
  }
}

/// What a parser made of bytes that came in pieces.
struct Parsing: Equatable {
  var frames: [SeenFrame] = []
  var error: ParseError?
  /// Bytes that are left in the buffer.
  var rest: [UInt8] = []

  /// Feeds a new parser through a read buffer of this capacity. A piece that does not fit is given in
  /// parts, as a socket would.
  init(_ pieces: [[UInt8]], capacity: Int) {
    var parser = Parser()
    var buffer = ReadBuffer(capacity: capacity)
    for piece in pieces {
      var offset = 0
      while offset < piece.count {
        var taken = 0
        buffer.withFreeSpace { free in
          taken = min(free.count, piece.count - offset)
          free.copyBytes(from: piece[offset..<(offset + taken)])
          return taken
        }
        // A full buffer of which the parser takes nothing would wait for ever.
        precondition(taken > 0)
        offset += taken
        do throws(ParseError) {
          while let frame = try parser.next(in: &buffer) { add(SeenFrame(frame, buffer)) }
        } catch {
          self.error = error
          do throws(ParseError) {
            _ = try parser.next(in: &buffer)
            self.error = nil
          } catch let again {
            precondition(again == error, "another error than the first")
          }
          return
        }
      }
    }
    rest = buffer.bytes.extracting(buffer.start..<buffer.end).array
  }

  /// Adds a frame; parts are joined, because their sizes depend on how the bytes came.
  private mutating func add(_ frame: SeenFrame) {
    if case .part(let bytes, let offset) = frame, case .part(let before, 0)? = frames.last {
      precondition(offset == UInt64(before.count), "a part is missing")
      frames[frames.count - 1] = .part(before + bytes, offset: 0)
    } else {
      frames.append(frame)
    }
  }
}
