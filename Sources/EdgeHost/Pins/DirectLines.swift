import GPIOProvider
import Transport

/// Lines that a command takes by itself, without a host: the one place where commands touch a board.
final class DirectLines: EdgeHandler {
  let board: any Board
  private var taken: [(name: String, handle: LineHandle)] = []
  /// Called for each edge of the lines taken.
  var onEdge: ((String, EdgeEvent) -> Void)?
  var onFailure: ((BoardError) -> Void)?

  init(_ board: any Board) {
    self.board = board
    board.edgeHandler = self
  }

  /// Takes a line; an output with its value in the same step, or with the level it has.
  func take(_ line: LineConfiguration, active: Bool?) throws(BoardError) {
    for result in board.request([LineRequest(line, active: active)]) {
      taken.append((line.name, try result.get()))
    }
  }

  /// The values of the lines taken, in their order.
  func values() throws(BoardError) -> [Bool] {
    try board.values(of: taken.map { $0.handle })
  }

  /// One after the other: only few can be set in one step.
  func set(_ active: Bool) throws(BoardError) {
    for line in taken { try board.set([LineValue(line.handle, isActive: active)]) }
  }

  /// Gives all lines back; what they do then is up to the kernel.
  func release() {
    for line in taken { board.release(line.handle) }
    taken = []
  }

  func handle(_ edge: EdgeEvent) {
    for line in taken where line.handle == edge.line { onEdge?(line.name, edge) }
  }

  func lineFailed(_ line: LineHandle, _ error: BoardError) { onFailure?(error) }
  func chipsChanged() {}
}
