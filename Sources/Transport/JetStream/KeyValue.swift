/// A key-value bucket of a JetStream, shared with all who know its name.
///
/// Every completion comes exactly once, before the call returns when nothing could be sent. A write that
/// timed out may have been done; `create` and `update` can be told by reading again.
///
/// Source: ADR-8 (JetStream based key-value stores).
public struct KeyValue {
  let jetStream: JetStream
  public let bucket: String

  /// - Throws: `.invalidName` for a bucket whose name is not made of ASCII letters, digits, `-` and `_`.
  public init(_ bucket: String, on jetStream: JetStream) throws(JetStreamFailure) {
    let isGood = bucket.utf8.allSatisfy { KeyValue.isNameByte($0) }
    // The stream's name has three letters more.
    if !isGood || bucket.utf8.isEmpty || bucket.utf8.count > 252 { throw .invalidName(bucket) }
    self.jetStream = jetStream
    self.bucket = bucket
  }

  var stream: String { "KV_" + bucket }
  /// Keys follow.
  var subjectPrefix: [UInt8] { "$KV.".bytes + bucket.bytes + [0x2E] }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
    default: false
    }
  }

  /// Whether the bytes are a key: tokens of ASCII letters, digits and `-_/=`, with dots between. With
  /// `allowsWildcards`, whether they are a pattern of keys.
  public static func isValidKey(_ key: Span<UInt8>, allowsWildcards: Bool = false) -> Bool {
    for index in key.indices {
      switch key[index] {
      case 0x2E, 0x2F, 0x3D: break
      case 0x2A, 0x3E: if !allowsWildcards { return false }
      default: if !isNameByte(key[index]) { return false }
      }
    }
    return Subject.isValid(key, allowsWildcards: allowsWildcards)
  }

  /// Makes the bucket unless it is there.
  public func createBucket(
    _ options: KeyValueBucketOptions = KeyValueBucketOptions(), timeout: Duration,
    completion: @escaping (Result<Void, JetStreamFailure>) -> Void
  ) {
    jetStream.call(
      "STREAM.CREATE.\(stream)", options.createArgument(bucket: bucket), timeout: timeout
    ) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json):
        let failure = JetStreamError.failure(in: json)
        let isThere = failure?.refusal?.isStreamNameInUse ?? false
        if let failure, !isThere { completion(.failure(failure)) } else { completion(.success(())) }
      }
    }
  }

  // MARK: reading

  /// The last revision of a key, from the bucket's leader. In its Base64 form with some 200 bytes more
  /// it must fit the read buffer.
  public func get(
    _ key: String, timeout: Duration, completion: @escaping (borrowing KeyValueAnswer) -> Void
  ) {
    let keyBytes = key.bytes
    if !KeyValue.isValidKey(keyBytes.span) { return completion(.failed(.invalidName(key))) }
    var json = JSONWriter()
    json.beginObject()
    json.key("last_by_subj")
    json.string((subjectPrefix + keyBytes).span.string)
    json.endObject()
    jetStream.call("STREAM.MSG.GET.\(stream)", json.bytes, timeout: timeout) { answer in
      KeyValue.complete(keyBytes, answer, completion)
    }
  }

  private static func complete(
    _ key: [UInt8], _ answer: borrowing JetStreamAnswer,
    _ completion: (borrowing KeyValueAnswer) -> Void
  ) {
    let result: Result<StoredMessage, JetStreamFailure> =
      switch answer {
      case .failed(let failure): .failure(failure)
      case .body(let json): StoredMessage.read(json)
      }
    switch result {
    case .failure(let failure):
      let isMissing = failure.refusal?.isNoMessage ?? false
      completion(isMissing ? .missing(revision: 0) : .failed(failure))
    case .success(let message):
      let entry = KeyValueEntry(
        key: key.span, value: message.payload.span, headers: message.headers.span,
        revision: message.sequence, stored: message.stored)
      if entry.operation == .put {
        completion(.found(entry))
      } else {
        completion(.missing(revision: entry.revision))
      }
    }
  }

  // MARK: writing

  /// Sets a key, whatever it was.
  ///
  /// - Parameter completion: the new revision.
  public func put(
    _ key: String, _ value: Span<UInt8>, timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    write(key, .put, value, expecting: nil, timeout: timeout, completion: completion)
  }

  /// Sets a key whose last revision is this one, 0 for a key that never was. Otherwise it is refused with
  /// `isWrongLastSequence`.
  public func update(
    _ key: String, _ value: Span<UInt8>, revision: UInt64, timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    write(key, .put, value, expecting: revision, timeout: timeout, completion: completion)
  }

  /// Sets a key that is not there, or was deleted. Otherwise it is refused with `isWrongLastSequence`.
  ///
  /// - Parameter timeout: of each of up to three requests.
  public func create(
    _ key: String, _ value: [UInt8], timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    update(key, value.span, revision: 0, timeout: timeout) { [self] result in
      guard case .failure(let failure) = result, failure.refusal?.isWrongLastSequence ?? false
      else { return completion(result) }
      // Something is there: the key, or its deletion.
      get(key, timeout: timeout) { [self] answer in
        switch answer {
        case .found: completion(result)
        case .missing(let revision):
          update(key, value.span, revision: revision, timeout: timeout, completion: completion)
        case .failed(let failure): completion(.failure(failure))
        }
      }
    }
  }

  /// Deletes a key; earlier revisions stay in its history. Deleting what is not there is no failure.
  ///
  /// - Parameter revision: nil deletes whatever the last one is.
  public func delete(
    _ key: String, revision: UInt64? = nil, timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    let none: [UInt8] = []
    write(key, .delete, none.span, expecting: revision, timeout: timeout, completion: completion)
  }

  /// Deletes a key with all its revisions.
  public func purge(
    _ key: String, revision: UInt64? = nil, timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    let none: [UInt8] = []
    write(key, .purge, none.span, expecting: revision, timeout: timeout, completion: completion)
  }

  private func write(
    _ key: String, _ operation: KeyValueEntry.Operation, _ value: Span<UInt8>,
    expecting revision: UInt64?, timeout: Duration,
    completion: @escaping (Result<UInt64, JetStreamFailure>) -> Void
  ) {
    let keyBytes = key.bytes
    if !KeyValue.isValidKey(keyBytes.span) { return completion(.failure(.invalidName(key))) }
    // Leaf nodes carry no `$KV.` between domains.
    let subject = (jetStream.hasDomain ? jetStream.prefix : []) + subjectPrefix + keyBytes
    let headers = KeyValue.headers(operation, expecting: revision)
    jetStream.publish(
      subject: subject.span, headers: headers.span, payload: value, timeout: timeout
    ) { result in
      switch result {
      case .success(let ack): completion(.success(ack.sequence))
      case .failure(let failure): completion(.failure(failure))
      }
    }
  }

  private static func headers(
    _ operation: KeyValueEntry.Operation, expecting revision: UInt64?
  ) -> [UInt8] {
    if operation == .put && revision == nil { return [] }
    var headers = HeaderWriter()
    switch operation {
    case .put: break
    case .delete: headers.append("KV-Operation", "DEL")
    case .purge:
      headers.append("KV-Operation", "PURGE")
      headers.append("Nats-Rollup", "sub")
    }
    if let revision { headers.append(.lastSubjectSequence(revision)) }
    return headers.finished()
  }
}
