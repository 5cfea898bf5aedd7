import XCTest

@testable import Transport

final class SubscriptionTableTests: XCTestCase {
  private func subject(_ text: String) throws -> Subject {
    try XCTUnwrap(Subject(bytes(text), allowsWildcards: true))
  }

  private func write(_ table: inout SubscriptionTable, capacity: Int = 1000) -> String {
    var buffer = WriteBuffer(capacity: capacity)
    let isWhole = table.write(into: &buffer)
    return buffer.bytes.string.replacingCRLF + (isWhole ? "" : "...")
  }

  func testTellsEachThingOnce() throws {
    var table = SubscriptionTable(capacity: 3, bytesMax: 1000)
    let first = try XCTUnwrap(table.add(subject("a"), queueGroup: []))
    _ = table.add(try subject("b.*"), queueGroup: bytes("q"))
    XCTAssertEqual(write(&table), "SUB a 1|SUB b.* q 2|")
    XCTAssertEqual(write(&table), "")
    XCTAssertNotNil(table.activeIndex(of: first))
    table.remove(first)
    XCTAssertNil(table.activeIndex(of: first))
    table.remove(first)
    XCTAssertEqual(write(&table), "UNSUB 1|")
    XCTAssertEqual(write(&table), "")
    table.remove(first)
    table.remove(99)
    XCTAssertEqual(write(&table), "")
  }

  func testRemovedBeforeItWasWrittenIsNeverWritten() throws {
    var table = SubscriptionTable(capacity: 3, bytesMax: 1000)
    table.remove(try XCTUnwrap(table.add(subject("a"), queueGroup: [])))
    XCTAssertEqual(write(&table), "")
  }

  func testANewConnectionIsToldAllThatIsWanted() throws {
    var table = SubscriptionTable(capacity: 5, bytesMax: 1000)
    let removed = try XCTUnwrap(table.add(subject("a"), queueGroup: []))
    _ = table.add(try subject("b"), queueGroup: bytes("q"))
    _ = write(&table)
    table.remove(removed)
    _ = table.add(try subject("c"), queueGroup: [])
    table.forgetWritten()
    XCTAssertEqual(write(&table), "SUB b q 2|SUB c 3|")
  }

  func testContinuesWhenTheBufferWasFull() throws {
    var table = SubscriptionTable(capacity: 10, bytesMax: 1000)
    for name in ["a", "b", "c"] { _ = table.add(try subject(name), queueGroup: []) }
    XCTAssertEqual(write(&table, capacity: 20), "SUB a 1|SUB b 2|...")
    XCTAssertEqual(write(&table, capacity: 3), "...")
    XCTAssertEqual(write(&table, capacity: 20), "SUB c 3|")
  }

  func testCapacity() throws {
    var table = SubscriptionTable(capacity: 1, bytesMax: 1000)
    let only = try XCTUnwrap(table.add(subject("a"), queueGroup: []))
    XCTAssertNil(table.add(try subject("b"), queueGroup: []))
    _ = write(&table)
    table.remove(only)
    // Room is made by the UNSUB.
    XCTAssertNil(table.add(try subject("b"), queueGroup: []))
    _ = write(&table)
    XCTAssertNotNil(table.add(try subject("b"), queueGroup: []))
  }
}

extension String {
  fileprivate var replacingCRLF: String {
    split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: "|")
  }
}
