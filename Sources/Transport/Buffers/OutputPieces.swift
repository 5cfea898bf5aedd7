import CLinux

/// What a connection wants written next, in order, as views of its buffers: valid only during the call
/// that hands it over.
public struct OutputPieces {
  /// Two for each class's queue, which may wrap around, two for a frame that was begun, one for the
  /// protocol's own lines, and some to spare.
  private static let capacity = 16

  private var pieces: InlineArray<16, linux_piece> = .init(repeating: linux_piece())
  private var pieceCount = 0
  public private(set) var byteCount = 0

  init() {}

  mutating func append(_ start: UnsafePointer<UInt8>, _ length: Int) {
    assert(pieceCount < OutputPieces.capacity)
    if length <= 0 || pieceCount == OutputPieces.capacity { return }
    pieces[pieceCount] = linux_piece(start: start, length: length)
    pieceCount += 1
    byteCount += length
  }

  /// Writes the pieces with one system call; returns how many bytes the socket took, or -errno.
  func send(to socket: Int32) -> Int64 {
    pieces.span.withUnsafeBufferPointer {
      linux_send_pieces(socket, $0.baseAddress, Int32(pieceCount))
    }
  }

  /// Gives each piece in turn to `body`.
  public func forEach(_ body: (Span<UInt8>) -> Void) {
    for index in 0..<pieceCount {
      let piece = pieces[index]
      guard let start = piece.start else { continue }
      body(
        Span(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: Int(piece.length)))
    }
  }
}
