import Foundation
import Transport
import XCTest

@testable import GPIOProvider

/// Real threads, and pipes as files that block: reading one hangs until somebody opens it to write.
final class ThreadReaderTests: XCTestCase {
  private var tree: BoardTree!
  private var loop: EventLoop!
  private let time = SystemTime()
  private var outcomes: [String: [Result<Measured, ReadingError>]] = [:]

  override func setUpWithError() throws {
    tree = try BoardTree()
    loop = try EventLoop()
  }
  override func tearDown() { tree.remove() }

  private func reader(hangs: Transport.Duration = .seconds(100), active: Int = 4) -> ThreadReader {
    var limits = ThreadReader.Limits()
    limits.hangs = hangs
    limits.active = active
    return ThreadReader(on: loop, time: time, limits: limits)
  }

  private func makePipe(_ name: String) {
    XCTAssertEqual(mkfifo("\(tree.root)/\(name)", 0o644), 0)
  }

  /// Lets whoever reads the pipe have this; waits for the reader.
  private func feed(_ name: String, _ text: String) throws {
    let pipe = open("\(tree.root)/\(name)", O_WRONLY)
    XCTAssertGreaterThanOrEqual(pipe, 0)
    XCTAssertEqual(write(pipe, text, text.utf8.count), text.utf8.count)
    close(pipe)
  }

  private func file(_ name: String, _ reader: ThreadReader) -> any SensorSource {
    tree.environment(reader, time: time).source(
      of: .file(FilePattern(path: "\(tree.root)/\(name)")))
  }

  private func measure(_ name: String, _ source: any SensorSource) {
    source.measure(at: time.now) { self.outcomes[name, default: []].append($0) }
  }

  /// Runs the loop until something holds, which it must.
  private func run(until condition: () -> Bool) throws {
    let timer = Transport.Timer(on: loop) { _ in }
    for _ in 0..<20_000 {
      if condition() { return }
      timer.set(time.now + .milliseconds(5))
      try loop.turn()
    }
    XCTFail("it never came")
  }

  func testAReadGivesItsValueLater() throws {
    let reader = reader()
    try tree.write("a", "21.5\n")
    measure("a", file("a", reader))
    XCTAssertNil(outcomes["a"], "not during the call")
    XCTAssertEqual(reader.threadCount, 1)
    try run { outcomes["a"] != nil }
    XCTAssertEqual(outcomes["a"], [.success(Measured(21.5))])
    XCTAssertEqual(reader.threadCount, 0, "no thread when nothing is read")
    measure("b", file("b", reader))
    try run { outcomes["b"] != nil }
    XCTAssertEqual(outcomes["b"]?.first?.reason, "\(tree.root)/b: No such file or directory")
  }

  func testAReadThatHangsIsBadAloneAndComesBack() throws {
    let reader = reader(hangs: .milliseconds(50), active: 1)
    makePipe("stuck")
    try tree.write("good", "1\n")
    let stuck = file("stuck", reader)
    measure("stuck", stuck)
    measure("good", file("good", reader))
    XCTAssertEqual(reader.threadCount, 1, "one at once")
    try run { outcomes["good"] != nil }
    XCTAssertEqual(
      outcomes["stuck"], [.failure(ReadingError("has been reading for more than 0 s"))])
    XCTAssertEqual(outcomes["good"], [.success(Measured(1))], "it waits no longer")
    measure("stuck", stuck)
    XCTAssertEqual(outcomes["stuck"]?.count, 2, "told at once, and no second thread")
    XCTAssertEqual(outcomes["stuck"]?.last, outcomes["stuck"]?.first, "in the same words")
    XCTAssertEqual(reader.threadCount, 1)
    try feed("stuck", "5\n")
    try run { reader.threadCount == 0 }
    XCTAssertEqual(outcomes["stuck"]?.count, 2, "what comes late is thrown away")
    try tree.remove("stuck")
    try tree.write("stuck", "6\n")
    measure("stuck", stuck)
    try run { outcomes["stuck"]?.count == 3 }
    XCTAssertEqual(outcomes["stuck"]?.last, .success(Measured(6)))
  }

  func testTriesAtOnceAreOneRead() throws {
    let reader = reader()
    makePipe("pipe")
    let source = file("pipe", reader)
    measure("pipe", source)
    measure("pipe", source)
    XCTAssertEqual(reader.threadCount, 1)
    try feed("pipe", "7\n")
    try run { outcomes["pipe"]?.count == 2 }
    XCTAssertEqual(outcomes["pipe"], [.success(Measured(7)), .success(Measured(7))])
  }

  func testOneLaneReadsOneAfterTheOther() throws {
    let reader = reader()
    makePipe("pipe")
    var told: [String] = []
    func start(_ name: String, lane: String) {
      let read = FileRead(FileRequests(["\(tree.root)/\(name)"], lane: lane)) { _ in
        told.append(name)
      }
      reader.start(read, at: time.now)
    }
    try tree.write("second", "1")
    try tree.write("other", "1")
    start("pipe", lane: "bus")
    start("second", lane: "bus")
    start("other", lane: "another")
    XCTAssertEqual(reader.threadCount, 2)
    try run { told == ["other"] }
    try feed("pipe", "1")
    try run { told == ["other", "pipe", "second"] }
  }

  func testThreadsAreBounded() throws {
    var limits = ThreadReader.Limits()
    limits.hangs = .milliseconds(20)
    limits.waits = .milliseconds(500)
    limits.threads = 3
    let reader = ThreadReader(on: loop, time: time, limits: limits)
    for index in 0..<5 {
      makePipe("pipe\(index)")
      measure("pipe\(index)", file("pipe\(index)", reader))
    }
    try run { outcomes.count == 5 }
    XCTAssertEqual(reader.threadCount, 3)
    let waited = outcomes.values.filter { $0[0].reason == "waited 0 s, as 3 other reads hang" }
    XCTAssertEqual(waited.count, 2)
    for index in 0..<5 where outcomes["pipe\(index)"]?[0].reason.hasPrefix("has been") ?? false {
      try feed("pipe\(index)", "1")
    }
    try run { reader.threadCount == 0 }
  }

  func testSensorsOfAOneWireBusShareAConversion() throws {
    try tree.add(BoardDescription.raspberryPi4.tree)
    let bulk = "sys/devices/w1_bus_master1/therm_bulk_read"
    let reader = reader()
    let environment = tree.environment(reader, time: time)
    let first = environment.source(of: .w1(id: "28-0316a2795aff"))
    measure("alone", first)
    try run { outcomes["alone"] != nil }
    XCTAssertEqual(tree.content(bulk), "0\n", "a single sensor needs none")
    let second = environment.source(of: .w1(id: "28-00000a1b2c3d"))
    // While the bus is busy, those that wait come together.
    makePipe("pipe")
    let busy = FileRead(FileRequests(["\(tree.root)/pipe"], lane: "w1 w1_bus_master1")) { _ in }
    reader.start(busy, at: time.now)
    measure("first", first)
    measure("second", second)
    XCTAssertEqual(reader.threadCount, 1)
    try feed("pipe", "0")
    try run { outcomes["first"] != nil && outcomes["second"] != nil }
    XCTAssertEqual(outcomes["first"], [.success(Measured(23.125))])
    XCTAssertEqual(outcomes["second"], [.success(Measured(-10.062))])
    XCTAssertEqual(tree.content(bulk), "trigger\n")
  }

  func testManySensorsOfABusAreReadInParts() throws {
    let bytes = "72 01 4b 46 7f ff 0e 10 57"
    let ids = (0..<70).map { "28-" + String(format: "%012x", $0) }
    for (index, id) in ids.enumerated() {
      try tree.add(
        """
        @ sys/devices/w1_bus_master1/\(id) < sys/bus/w1/devices
        w1_slave = \(bytes) : crc=57 YES\\n\(bytes) t=\(index)125
        """)
    }
    try tree.add("@ sys/devices/w1_bus_master1 < sys/bus/w1/devices\ntherm_bulk_read = 0")
    let reader = reader()
    let environment = tree.environment(reader, time: time)
    let sources = ids.map { environment.source(of: .w1(id: $0)) }
    for (id, source) in zip(ids, sources) { measure(id, source) }
    XCTAssertEqual(reader.threadCount, 1)
    try run { outcomes.count == ids.count }
    for (index, id) in ids.enumerated() {
      XCTAssertEqual(outcomes[id], [.success(Measured(Double(index) + 0.125))], id)
    }
  }

  /// Where the user may not write the trigger, each sensor converts for itself.
  func testATriggerThatIsRefusedChangesNothing() throws {
    try tree.add(BoardDescription.raspberryPi4.tree)
    try tree.remove("sys/devices/w1_bus_master1/therm_bulk_read")
    try tree.makeFolder("sys/devices/w1_bus_master1/therm_bulk_read")
    let environment = tree.environment(reader(), time: time)
    let first = environment.source(of: .w1(id: "28-0316a2795aff"))
    let second = environment.source(of: .w1(id: "28-00000a1b2c3d"))
    measure("first", first)
    measure("second", second)
    try run { outcomes["first"] != nil && outcomes["second"] != nil }
    XCTAssertEqual(outcomes["first"], [.success(Measured(23.125))])
    XCTAssertEqual(outcomes["second"], [.success(Measured(-10.062))])
  }

  func testEverySensorOfEveryBoardByThreads() throws {
    for board in BoardDescription.all {
      let tree = try BoardTree(board.tree)
      defer { tree.remove() }
      let reader = reader()
      let environment = tree.environment(reader, time: time)
      outcomes = [:]
      for sensor in board.sensors {
        measure("\(sensor.kind)", environment.source(of: sensor.kind))
        XCTAssertLessThanOrEqual(reader.threadCount, 4)
      }
      try run { outcomes.count == board.sensors.count }
      for sensor in board.sensors {
        XCTAssertEqual(
          outcomes["\(sensor.kind)"], [.success(Measured(sensor.value))], "\(sensor.kind)")
      }
    }
  }
}
