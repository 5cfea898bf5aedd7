import CLinux
import Transport

/// A file that a sensor wants read, or another question to the file system that may take long.
struct FileRequest {
  enum Action { case read, freeBytes }

  var path: String
  var action = Action.read
}

/// What is read together for one try of a sensor.
struct FileRequests {
  var files: [FileRequest]
  /// What is read one after the other: a device, or the bus that several share.
  var lane: String
  /// The `therm_bulk_read` of a 1-Wire bus: all tries that wait for it take one conversion.
  var trigger: String?

  init(_ paths: [String], lane: String) {
    files = paths.map { FileRequest(path: $0) }
    self.lane = lane
  }
}

/// A file's bytes, or why it cannot be read.
typealias FileContent = Result<[UInt8], SystemError>

/// A try that is under way.
final class FileRead {
  let requests: FileRequests
  /// Whether it still occupies a thread, or waits for one.
  var isUnderWay = true
  private var completion: ((Result<[FileContent], ReadingError>) -> Void)?
  /// What was told of a read that hangs: a failure that is still true, though it is under way.
  private(set) var failure: ReadingError?

  init(
    _ requests: FileRequests,
    completion: @escaping (Result<[FileContent], ReadingError>) -> Void
  ) {
    self.requests = requests
    self.completion = completion
  }

  /// A read that takes too long is told as a failure, and what comes of it later is thrown away.
  func tell(_ outcome: Result<[FileContent], ReadingError>) {
    let completion = completion
    self.completion = nil
    if case .failure(let error) = outcome { failure = error }
    completion?(outcome)
  }
}

/// Reads the files of sensors.
protocol FileReader: AnyObject {
  /// Reads all the files, in their order. The outcome is told once, during the call or later.
  func start(_ read: FileRead, at now: Instant)
}

/// Reads on the loop, during the call: for files that are the kernel's own memory.
final class InlineReader: FileReader {
  /// Of one file. /proc/meminfo has 1.5 kB, and what is looked for in /proc/stat is its first line.
  static let fileSizeMax = 4_000

  func start(_ read: FileRead, at now: Instant) {
    let contents = read.requests.files.map { content($0) }
    read.isUnderWay = false
    read.tell(.success(contents))
  }

  private func content(_ file: FileRequest) -> FileContent {
    switch file.action {
    case .read:
      do throws(SystemError) {
        return .success(try DeviceFolder.content(file.path, sizeMax: InlineReader.fileSizeMax))
      } catch {
        return .failure(error)
      }
    case .freeBytes:
      let bytes = linux_free_bytes(file.path)
      if bytes < 0 { return .failure(SystemError("statvfs", Int32(clamping: bytes))) }
      return .success(("\(bytes)" as Text).bytes)
    }
  }
}
