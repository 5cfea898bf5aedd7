import Glibc
import XCTest

@testable import Transport

/// The class on real files, in a time that only the test moves. A test waits for a sync's end, however
/// long the disk takes.
final class StateFileTests: XCTestCase {
  private var folder = ""
  private var path: String { folder + "/state" }
  private var loop: EventLoop!
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var problems: [String?] = []
  private var notices: [String] = []

  private let key = bytes("pump")

  override func setUpWithError() throws {
    var template = Array("/tmp/edge-host-state-XXXXXX".utf8CString)
    folder = String(cString: try XCTUnwrap(mkdtemp(&template)))
    loop = try EventLoop()
    problems = []
    notices = []
  }

  override func tearDown() {
    for name in ["state", "state.damaged"] { unlink(folder + "/" + name) }
    rmdir(folder)
  }

  private func make(_ path: String? = nil) -> StateFile {
    let file = StateFile(path: path ?? self.path, loop: loop, slotBytes: 128)
    file.onProblem = { self.problems.append($0) }
    file.onNotice = { self.notices.append($0) }
    return file
  }

  private func opened(_ path: String? = nil) throws -> StateFile {
    let file = make(path)
    file.open(at: now)
    try settle(file)
    return file
  }

  /// Turns the loop until no sync is under way.
  private func settle(_ file: StateFile) throws {
    while file.isSyncing { try loop.turn() }
  }

  /// Moves the time to the file's deadline, and handles it.
  private func passDeadline(_ file: StateFile) throws {
    now = max(now, try XCTUnwrap(file.deadline))
    file.handleDeadline(at: now)
    try settle(file)
  }

  private func content(_ path: String) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1000)
    let descriptor = Glibc.open(path, O_RDONLY)
    defer { close(descriptor) }
    return Array(buffer[..<max(read(descriptor, &buffer, buffer.count), 0)])
  }

  private func write(_ bytes: [UInt8], to path: String) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    XCTAssertEqual(Glibc.write(descriptor, bytes, bytes.count), bytes.count)
    close(descriptor)
  }

  private func seconds(_ instant: Instant?) -> Int64? { instant.map { ($0 - now).seconds } }

  // MARK: keeping

  func testSurvivesClosing() throws {
    let file = try opened()
    file.set(key, [1, 2, 3], .ordinary, at: now)
    file.set(bytes("count"), integer: -5, .ordinary, at: now)
    file.set(bytes("on"), flag: true, .ordinary, at: now)
    file.close(at: now)
    XCTAssertNil(file.deadline)
    let again = try opened()
    XCTAssertEqual(again.value(of: key), [1, 2, 3])
    XCTAssertEqual(again.integer(of: bytes("count")), -5)
    XCTAssertEqual(again.value(of: bytes("count")), [0xFB] + [UInt8](repeating: 0xFF, count: 7))
    XCTAssertEqual(again.flag(of: bytes("on")), true)
    XCTAssertNil(again.flag(of: key))
    XCTAssertNil(again.integer(of: key))
    XCTAssertNil(again.integer(of: bytes("other")))
    XCTAssertEqual(problems, [])
    XCTAssertEqual(notices, [])
  }

  func testOnlyItsOwnerMayReadIt() throws {
    _ = try opened()
    var status = stat()
    XCTAssertEqual(stat(path, &status), 0)
    XCTAssertEqual(status.st_mode & 0o777, 0o600)
  }

  /// As after kill -9: the object is forgotten, also in the middle of a sync.
  func testSurvivesBeingKilled() throws {
    for value in UInt8(1)...4 {
      let file = try opened()
      XCTAssertEqual(file.value(of: key), value == 1 ? nil : [value - 1])
      file.set(key, [value], .urgent, at: now)
      file.handleDeadline(at: now)
      XCTAssertTrue(file.isSyncing)
      if value % 2 == 0 { try settle(file) }
    }
    XCTAssertEqual(try opened().value(of: key), [4])
    XCTAssertEqual(notices, [])
  }

  func testRemoving() throws {
    let file = try opened()
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    file.remove(bytes("other"), .urgent, at: now)
    XCTAssertNil(file.deadline)
    file.remove(key, .urgent, at: now)
    try passDeadline(file)
    XCTAssertEqual(file.writtenCount, 2)
    XCTAssertNil(try opened().value(of: key))
  }

  // MARK: batches

  func testUrgentChangesAreWrittenOnceASecond() throws {
    let file = try opened()
    XCTAssertNil(file.deadline)
    file.set(key, [1], .urgent, at: now)
    file.set(bytes("other"), [1], .urgent, at: now)
    XCTAssertEqual(seconds(file.deadline), 0)
    try passDeadline(file)
    XCTAssertEqual(file.writtenCount, 1)
    XCTAssertNil(file.deadline)
    for value in UInt8(2)...50 { file.set(key, [value], .urgent, at: now) }
    XCTAssertEqual(seconds(file.deadline), 1)
    file.handleDeadline(at: now)
    XCTAssertEqual(file.writtenCount, 1)
    try passDeadline(file)
    XCTAssertEqual(file.writtenCount, 2)
    XCTAssertEqual(try opened().value(of: key), [50])
  }

  func testOrdinaryChangesAreWrittenOnceAMinute() throws {
    let file = try opened()
    for count in Int64(1)...300 {
      file.set(key, integer: count, .ordinary, at: now)
      file.handleDeadline(at: now)
      try settle(file)
      now = now + .seconds(1)
    }
    XCTAssertEqual(file.writtenCount, 5)
    // Something urgent takes the others along.
    file.set(bytes("other"), [1], .urgent, at: now)
    try passDeadline(file)
    XCTAssertEqual(file.writtenCount, 6)
    XCTAssertNil(file.deadline)
    XCTAssertEqual(try opened().integer(of: key), 300)
  }

  func testUnchangedContentIsNotWritten() throws {
    let file = try opened()
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    file.set(key, [1], .urgent, at: now)
    XCTAssertNil(file.deadline)
    file.set(key, [2], .urgent, at: now)
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    file.close(at: now)
    XCTAssertEqual(file.writtenCount, 1)
    let again = try opened()
    again.set(key, [1], .urgent, at: now)
    again.close(at: now)
    XCTAssertEqual(again.writtenCount, 0)
  }

  func testNothingIsWrittenBeforeASyncHasEnded() throws {
    let file = make()
    file.set(key, [1], .urgent, at: now)
    file.open(at: now)
    XCTAssertTrue(file.isSyncing)
    now = now + .seconds(5)
    file.handleDeadline(at: now)
    XCTAssertEqual(file.writtenCount, 0)
    try settle(file)
    try passDeadline(file)
    file.set(key, [2], .urgent, at: now)
    XCTAssertEqual(file.writtenCount, 1)
    // Closing waits for it instead.
    file.set(key, [3], .urgent, at: now + .seconds(1))
    file.handleDeadline(at: now + .seconds(1))
    XCTAssertTrue(file.isSyncing)
    file.set(key, [4], .urgent, at: now + .seconds(1))
    file.close(at: now + .seconds(1))
    XCTAssertEqual(file.writtenCount, 3)
    XCTAssertEqual(try opened().value(of: key), [4])
  }

  func testSlowDiskIsToldOnce() throws {
    let file = make()
    file.open(at: now)
    XCTAssertEqual(seconds(file.deadline), 60)
    now = now + .seconds(60)
    file.handleDeadline(at: now)
    XCTAssertEqual(problems, ["\(path): the disk takes more than 60 s to write"])
    XCTAssertNil(file.deadline)
    try settle(file)
    XCTAssertEqual(problems.count, 2)
    XCTAssertNil(file.problem)
  }

  func testWhatDoesNotFitIsRefused() throws {
    let file = try opened()
    XCTAssertTrue(file.set(key, [UInt8](repeating: 1, count: 94), .urgent, at: now))
    XCTAssertFalse(file.set(key, [UInt8](repeating: 2, count: 95), .urgent, at: now))
    XCTAssertFalse(file.set([], [1], .urgent, at: now))
    XCTAssertEqual(
      notices,
      ["\(path): 'pump' is not kept: with it all values would need 101 bytes; there are 100"])
    file.close(at: now)
    XCTAssertEqual(try opened().value(of: key), [UInt8](repeating: 1, count: 94))
  }

  // MARK: what is wrong with files and disks

  func testDamagedFileIsKeptAside() throws {
    let foreign = bytes("This has been written by somebody else.")
    write(foreign, to: path)
    let file = try opened()
    XCTAssertEqual(content(path + ".damaged"), foreign)
    XCTAssertEqual(
      notices,
      [
        "\(path): slot 1 is passed over: it is not of a state file",
        "\(path): cannot be read; kept as \(path).damaged, and begun anew",
      ])
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    XCTAssertEqual(try opened().value(of: key), [1])
    XCTAssertEqual(problems, [])
    XCTAssertEqual(notices.count, 2)
  }

  func testDamagedSlotIsPassedOver() throws {
    let file = try opened()
    for value in UInt8(1)...2 {
      file.set(key, [value], .urgent, at: now)
      try passDeadline(file)
    }
    var bytes = content(path)
    bytes[128 + 30] ^= 1
    write(bytes, to: path)
    let again = try opened()
    XCTAssertEqual(again.value(of: key), [1])
    XCTAssertEqual(notices, ["\(path): slot 2 is passed over: it is damaged"])
    // The slot that is left is not the one that is written next.
    again.set(key, [3], .urgent, at: now)
    try passDeadline(again)
    XCTAssertEqual(content(path)[..<128], bytes[..<128])
    XCTAssertEqual(try opened().value(of: key), [3])
  }

  func testMissingFolderAndItsReturn() throws {
    rmdir(folder)
    let file = try opened()
    XCTAssertEqual(problems, ["\(path): open: No such file or directory"])
    XCTAssertEqual(seconds(file.deadline), 60)
    file.set(key, [1], .urgent, at: now)
    XCTAssertEqual(file.value(of: key), [1])
    try passDeadline(file)
    XCTAssertEqual(problems.count, 1)
    mkdir(folder, 0o700)
    try passDeadline(file)
    // It works again when something has been written.
    XCTAssertEqual(problems.count, 1)
    try passDeadline(file)
    XCTAssertEqual(problems, [problems[0], nil])
    XCTAssertEqual(try opened().value(of: key), [1])
  }

  func testParentThatIsAFile() throws {
    write([1], to: path)
    let file = try opened(path + "/state")
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    file.close(at: now)
    XCTAssertEqual(problems, ["\(path)/state: open: Not a directory"])
    XCTAssertEqual(file.value(of: key), [1])
    XCTAssertEqual(content(path), [1])
  }

  /// What was set while the file could not be read is newer than what is in it.
  func testLateFileIsJoined() throws {
    let file = try opened()
    file.set(key, [1], .urgent, at: now)
    file.set(bytes("other"), [2], .urgent, at: now)
    file.close(at: now)
    rename(path, path + ".damaged")
    mkdir(path, 0o700)
    let late = try opened()
    XCTAssertEqual(problems, ["\(path): open: Is a directory"])
    late.set(key, [9], .urgent, at: now)
    rmdir(path)
    rename(path + ".damaged", path)
    try passDeadline(late)
    XCTAssertEqual(late.value(of: key), [9])
    XCTAssertEqual(late.value(of: bytes("other")), [2])
    late.close(at: now)
    XCTAssertEqual(try opened().value(of: key), [9])
  }

  /// A limit on the size of files stands for a full disk.
  func testFullDisk() throws {
    let file = try opened()
    file.set(key, [1], .urgent, at: now)
    try passDeadline(file)
    file.set(key, [2], .urgent, at: now)
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    let handler = signal(SIGXFSZ, SIG_IGN)
    var small = rlimit(rlim_cur: 150, rlim_max: limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &small)
    // Written, read again, written, read again.
    for _ in 0..<4 { try passDeadline(file) }
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    signal(SIGXFSZ, handler)
    XCTAssertEqual(problems, ["\(path): write: No space left on device"])
    XCTAssertEqual(try opened().value(of: key), [1])
    try passDeadline(file)
    XCTAssertEqual(problems, [problems[0], nil])
    XCTAssertEqual(try opened().value(of: key), [2])
  }

  func testNoFileButADevice() throws {
    let file = try opened("/dev/full")
    XCTAssertEqual(problems.count, 1)
    XCTAssertNotNil(file.problem)
    file.close(at: now)
  }
}
