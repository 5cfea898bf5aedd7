import XCTest

@testable import Transport

final class TimerHeapTests: XCTestCase {
  func testAgainstModel() throws {
    let loop = try EventLoop()
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let timers = (0..<12).map { _ in Timer(on: loop) { _ in } }
      var heap = TimerHeap()
      var model: [Int: Int64] = [:]
      for _ in 0..<200 {
        let index = random.index(below: timers.count)
        let timer = timers[index]
        heap.remove(timer)
        model[index] = nil
        XCTAssertEqual(timer.position, -1)
        if !random.oneIn(3) {
          // Few different instants, so that ties happen.
          let nanoseconds = random.oneIn(20) ? Int64.max : Int64(random.index(below: 8))
          timer.deadline = Instant(nanoseconds: nanoseconds)
          heap.insert(timer)
          model[index] = nanoseconds
        }
        XCTAssertEqual(heap.first?.deadline?.nanoseconds, model.values.min(), "seed \(seed)")
      }
      var drained: [Int64] = []
      while let first = heap.first {
        drained.append(first.deadline?.nanoseconds ?? -1)
        heap.remove(first)
      }
      XCTAssertEqual(drained, model.values.sorted(), "seed \(seed)")
    }
  }

  func testRemovingWhatIsNotInTheHeap() throws {
    let loop = try EventLoop()
    var heap = TimerHeap()
    let timer = Timer(on: loop) { _ in }
    heap.remove(timer)
    XCTAssertNil(heap.first)
    timer.deadline = Instant(nanoseconds: 1)
    heap.insert(timer)
    heap.remove(timer)
    heap.remove(timer)
    XCTAssertNil(heap.first)
  }
}
