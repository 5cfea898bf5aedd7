import Transport

/// One kind of sensor: which files are read for it, and what their contents mean.
protocol Probe: AnyObject {
  /// What is to be read now. Devices are looked for anew when they are not where they were; this asks
  /// only for what the kernel has in memory.
  func requests() throws(ReadingError) -> FileRequests
  /// The value that the contents spell, one for each file that was requested.
  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured
}

/// Measures with a probe, by a reader.
final class ProbeSource: SensorSource {
  private let probe: any Probe
  private let reader: any FileReader
  private let time: any TimeSource
  private var waiting: [(Result<Measured, ReadingError>) -> Void] = []
  private var read: FileRead?

  init(_ probe: any Probe, reader: any FileReader, time: any TimeSource) {
    self.probe = probe
    self.reader = reader
    self.time = time
  }

  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void
  ) {
    if let read, read.isUnderWay, let failure = read.failure {
      // Its thread has not come back: another would hang as well.
      return completion(.failure(failure))
    }
    waiting.append(completion)
    if waiting.count > 1 { return }
    let requests: FileRequests
    do throws(ReadingError) {
      requests = try probe.requests()
    } catch {
      return finish(.failure(error))
    }
    let read = FileRead(requests) { [self] outcome in
      switch outcome {
      case .success(let contents): finish(value(of: contents))
      case .failure(let error): finish(.failure(error))
      }
    }
    self.read = read
    reader.start(read, at: now)
  }

  private func value(of contents: [FileContent]) -> Result<Measured, ReadingError> {
    do throws(ReadingError) {
      let measured = try probe.value(of: contents, at: time.now)
      if measured.value.isFinite { return .success(measured) }
      return .failure(ReadingError("the value is no finite number"))
    } catch {
      return .failure(error)
    }
  }

  private func finish(_ result: Result<Measured, ReadingError>) {
    let completions = waiting
    waiting = []
    for completion in completions { completion(result) }
  }
}

extension FileContent {
  /// The whole number in a file.
  func integer(_ path: String) throws(ReadingError) -> Int64 {
    let bytes = try bytes(path)
    if let value = AttributeText.integer(bytes) { return value }
    throw ReadingError("\(path) holds \(AttributeText.quoted(bytes)), which is no whole number")
  }

  /// The number in a file.
  func decimal(_ path: String) throws(ReadingError) -> Double {
    let bytes = try bytes(path)
    if let value = AttributeText.decimal(bytes) { return value }
    throw ReadingError("\(path) holds \(AttributeText.quoted(bytes)), which is no number")
  }

  func bytes(_ path: String) throws(ReadingError) -> [UInt8] {
    switch self {
    case .success(let bytes): return bytes
    case .failure(let error): throw ReadingError("\(path): \(error.reason)")
    }
  }
}

extension Array where Element == FileContent {
  /// The content at a place: there is one for each file that was requested.
  func content(_ index: Int) -> FileContent {
    indices.contains(index) ? self[index] : .failure(SystemError("read", -5))
  }
}

extension ReadingError {
  static func noChannel(_ channel: String, _ folder: String, _ present: [String]) -> ReadingError {
    ReadingError("\(folder) has no channel \(quoted: channel); it has: \(present.listed)")
  }
}
