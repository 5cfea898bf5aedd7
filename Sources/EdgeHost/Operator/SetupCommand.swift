import Lattice
import Transport

/// What `edge-host setup stream` is asked for.
struct SetupRequest: Equatable {
  var stream = FactStream()
  /// Of the JetStream, when it is not the server's own.
  var domain: String?
  /// Only says what would be done.
  var isDryRun = false
}

/// `edge-host setup stream`: makes the stream that keeps the durable events of hosts, or changes one that
/// is there, and says what it did.
final class SetupCommand {
  private static let defaultTimeout = Duration.seconds(10)

  private let session: OperatorSession
  private let request: SetupRequest
  private let options: OperatorOptions

  static func run(_ request: SetupRequest, _ options: OperatorOptions) throws(SystemError) -> Int32
  {
    let command = SetupCommand(try OperatorSession(options), request, options)
    return command.session.run { command.begin() }
  }

  private init(_ session: OperatorSession, _ request: SetupRequest, _ options: OperatorOptions) {
    self.session = session
    self.request = request
    self.options = options
  }

  private func begin() {
    manage(.info, []) { [self] result in
      switch result {
      case .failure(let failure):
        guard failure.refusal?.isStreamNotFound ?? false else { return fail(failure) }
        create()
      case .success(let config): update(config)
      }
    }
  }

  private func create() {
    let configuration = request.stream.configuration
    if request.isDryRun {
      return finish("would create stream \(request.stream.name):\n", configuration)
    }
    manage(.create, configuration.jsonBytes) { [self] result in
      switch result {
      case .failure(let failure): fail(failure)
      case .success(let config): finish("created stream \(request.stream.name):\n", config)
      }
    }
  }

  private func update(_ present: Record) {
    let name = request.stream.name
    let wanted = request.stream.changed(present)
    let differences = FactStream.differences(from: present, to: wanted)
    if differences.bytes.isEmpty { return finish("stream \(name) is as it should be:\n", present) }
    if request.isDryRun { return write("would change stream \(name):\n\(differences)") }
    manage(.update, wanted.jsonBytes) { [self] result in
      switch result {
      case .failure(let failure): fail(failure)
      case .success: write("changed stream \(name):\n\(differences)")
      }
    }
  }

  /// Gives the stream's configuration.
  private func manage(
    _ operation: StreamOperation, _ configuration: [UInt8],
    _ completion: @escaping (Result<Record, JetStreamFailure>) -> Void
  ) {
    do throws(JetStreamFailure) {
      let jetStream = try JetStream(over: session.client, domain: request.domain)
      jetStream.manage(
        operation, stream: request.stream.name, configuration,
        timeout: options.timeout ?? SetupCommand.defaultTimeout
      ) { result in
        switch result {
        case .failure(let failure): completion(.failure(failure))
        case .success(let json):
          guard let answer = try? Record(json: json.span),
            case .record(let config)? = answer["config"]
          else { return completion(.failure(.refused(SetupCommand.noConfiguration))) }
          completion(.success(config))
        }
      }
    } catch {
      completion(.failure(error))
    }
  }

  private static let noConfiguration = JetStreamError(
    code: 500, reason: "its answer has no configuration of a stream")

  private func finish(_ text: Text, _ configuration: Record) {
    write("\(text)\(FactStream.summary(of: configuration))")
  }

  private func write(_ text: Text) {
    StandardStream.output.write(text)
    session.end(0)
  }

  private func fail(_ failure: JetStreamFailure) {
    let place: Text =
      request.domain.map { "\(options.server), domain \($0)" } ?? "\(options.server)"
    switch failure {
    case .noResponders:
      session.fail(
        """
        no JetStream answers at \(place): turn it on in the server's configuration (jetstream {}), or \
        say --domain NAME for that of another server
        """)
    case .timedOut:
      session.fail(
        """
        \(place): no answer in time: the link may be cut, or your user lacks the right to publish to \
        $JS.API.STREAM.*
        """)
    // Source: server/errors.json of nats-server.
    case .refused(let error) where error.errorCode == 10_065:
      session.fail(
        """
        \(place): \(error): another stream has some of these subjects; say --name with its name to \
        change that one, or take them from it
        """)
    default: session.fail("\(place): \(failure)")
    }
  }
}
