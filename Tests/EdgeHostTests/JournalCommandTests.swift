import Glibc
import Lattice
import XCTest

@testable import EdgeHost
@testable import Transport

/// `edge-host journal` over a file that a journal has written.
final class JournalCommandTests: XCTestCase {
  private var path = ""
  private let now = Instant(nanoseconds: 1_000_000_000)

  override func setUpWithError() throws {
    var template = Array("/tmp/edge-host-journal-XXXXXX".utf8CString)
    path = String(cString: try XCTUnwrap(mkdtemp(&template))) + "/journal"
  }

  override func tearDown() {
    unlink(path)
    rmdir(String(path.dropLast("/journal".count)))
  }

  private func opened() throws -> (Journal, EventLoop) {
    var configuration = JournalConfiguration()
    configuration.size = 256 << 10
    let loop = try EventLoop()
    let journal = Journal(
      configuration, run: JournalRun(id: Array("NDOCK".utf8), boot: []),
      disk: JournalFile(path: path, .disk, loop: loop), tail: nil)
    journal.open(at: now)
    XCTAssertNil(journal.status.problem)
    return (journal, loop)
  }

  private func append(_ journal: Journal, _ factClass: FactClass, _ body: String) {
    let time = FactTime(
      instant: Instant(nanoseconds: 7), wallClock: Timestamp(nanoseconds: 0), isSynchronised: true)
    _ = journal.append(
      factClass, time, subject: Array("gpio.door.edge".utf8).span, payload: Array(body.utf8).span,
      at: now)
  }

  private func written() throws {
    let (journal, _) = try opened()
    append(journal, .event, "{\"edge\":\"rising\"}")
    append(journal, .alarm, "no JSON")
    journal.close(at: now)
  }

  private func inspection() throws -> JournalInspection {
    try JournalInspection(JournalFile(path: path, .inspection, loop: nil))
  }

  func testListAndDump() throws {
    try written()
    let journal = try inspection()
    XCTAssertTrue(journal.isClean)
    let list = JournalCommand.list(journal, "J").string
    XCTAssertEqual(
      list,
      """
      J: 15 segments of 16384 bytes, 13 free; the next fact is 3; ended cleanly
      CLASS  SEGMENT  FIRST  LAST  FACTS  WAITING  BYTES
      alarm  0        2      2     1      1        160
      event  1        1      1     1      1        168

      """)
    var lines: [String] = []
    journal.forEachRecord { lines.append(JournalCommand.line($0, isWaiting: $1).string) }
    XCTAssertEqual(lines.count, 2)
    XCTAssertEqual(
      lines[0],
      "{\"seq\":1,\"time\":\"1970-01-01T00:00:00.000000000Z\",\"synchronised\":true,"
        + "\"monotonic_ns\":7,\"class\":\"event\",\"run\":\"NDOCK\",\"waiting\":true,"
        + "\"subject\":\"gpio.door.edge\",\"body\":{\"edge\":\"rising\"}}\n")
    XCTAssertTrue(lines[1].contains("\"body\":\"no JSON\""), lines[1])
  }

  func testVerifyFindsAFlippedByte() throws {
    try written()
    XCTAssertEqual(JournalCommand.verify(try inspection(), path), 0)
    let file = Glibc.open(path, O_RDWR)
    var byte: UInt8 = 0
    let offset = 8192 + 16384 + 32 + 64 + 50
    pread(file, &byte, 1, off_t(offset))
    byte ^= 1
    pwrite(file, &byte, 1, off_t(offset))
    close(file)
    let damaged = try inspection()
    XCTAssertEqual(damaged.damages.map(\.text.string).count, 1)
    XCTAssertEqual(JournalCommand.verify(damaged, path), 1)
  }

  func testClearRefusesWhileAHostHasIt() throws {
    try written()
    let request = JournalRequest(action: .clear, path: path)
    let (journal, _) = try opened()
    XCTAssertEqual(try JournalCommand.run(request), 1)
    XCTAssertEqual(try inspection().segments.count, 2)
    journal.close(at: now)
    XCTAssertEqual(try JournalCommand.run(request), 0)
    XCTAssertEqual(try inspection().segments.count, 0)
    let (next, _) = try opened()
    XCTAssertNil(next.nextWaiting(from: 0))
    XCTAssertGreaterThan(next.nextSequence, 2)
    next.close(at: now)
  }

  func testWhatIsNotThereIsNotMade() throws {
    for action in [JournalRequest.Action.list, .clear] {
      XCTAssertEqual(try JournalCommand.run(JournalRequest(action: action, path: path)), 1)
    }
    XCTAssertNotEqual(access(path, F_OK), 0)
  }

  func testTwoHostsDoNotShareAFile() throws {
    let (first, loop) = try opened()
    var configuration = JournalConfiguration()
    configuration.size = 256 << 10
    let second = Journal(
      configuration, run: JournalRun(id: [0x42], boot: []),
      disk: JournalFile(path: path, .disk, loop: loop), tail: nil)
    second.open(at: now)
    XCTAssertEqual(second.status.problem, "\(path): flock: Device or resource busy")
    second.close(at: now)
    first.close(at: now)
  }

  func testCommandLine() throws {
    func parse(_ words: String, _ folder: String? = nil) throws -> Command {
      try Arguments.command(words.split(separator: " ").map(String.init)) { _ in folder }
    }
    XCTAssertEqual(
      try parse("journal list"),
      .journal(JournalRequest(action: .list, path: "/var/lib/edge-host/journal")))
    XCTAssertEqual(
      try parse("journal dump", "/a:/b"),
      .journal(JournalRequest(action: .dump, path: "/a/journal")))
    XCTAssertEqual(
      try parse("journal verify --file x"), .journal(JournalRequest(action: .verify, path: "x")))
    for words in ["journal", "journal fly", "journal list x", "journal list --json"] {
      XCTAssertThrowsError(try parse(words), words)
    }
  }
}
