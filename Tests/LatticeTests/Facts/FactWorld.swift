import XCTest

@testable import Lattice
@testable import Transport

/// A host that tells facts, and whoever keeps them, in virtual time.
final class FactWorld {
  let time = FakeTime()
  let keeper: ModelKeeper
  let diagnostics = FakeDiagnostics()
  let host: LatticeHost
  private(set) var journal: Journal
  private(set) var delivery: FactDelivery
  /// Message ids of what was appended.
  private(set) var appended: [String] = []
  private var runs = 0
  private let seed: UInt64
  private let guarantee: FactGuarantee
  private let disk: (any JournalStorage)?
  private let tail: (any JournalStorage)?

  init(
    seed: UInt64 = 1, guarantee: FactGuarantee = .acknowledged,
    disk: (any JournalStorage)? = nil, tail: (any JournalStorage)? = nil,
    configuration: JournalConfiguration = JournalConfiguration()
  ) {
    self.seed = seed
    self.guarantee = guarantee
    self.disk = disk
    self.tail = tail
    keeper = ModelKeeper(seed: seed, time: time)
    host = LatticeHost(identity: .test(), time: time, boot: BootID(seed: 1))
    let run = JournalRun(id: Array("RUN1".utf8), boot: host.clock.boot.bytes)
    journal = Journal(configuration, run: run, disk: disk, tail: tail)
    journal.open(at: time.now)
    delivery = FactDelivery(
      over: keeper, of: host, from: journal, subjectPrefix: Array("edge.wh7.dock-7.".utf8),
      guarantee: guarantee, diagnostics: diagnostics, seed: seed)
  }

  // MARK: what tests do

  func tell(_ subject: String = "gpio.door.edge", _ factClass: FactClass = .event) {
    let number = journal.nextSequence
    let payload = Array(#"{"n":\#(number)}"#.utf8)
    delivery.append(
      factClass, host.clock.time(of: time.now), subject: Array(subject.utf8), payload: payload,
      at: time.now)
    appended.append(String(decoding: journal.run.id, as: UTF8.self) + "-\(number)")
  }

  func connect() {
    keeper.connect()
    delivery.linkChanged(isConnected: true, at: time.now)
  }

  func disconnect() {
    keeper.disconnect()
    delivery.linkChanged(isConnected: false, at: time.now)
  }

  func pass(_ duration: Transport.Duration) {
    let end = time.now + duration
    var turns = 0
    while true {
      turns += 1
      if turns == 200_000 { return XCTFail("time stands still: seed \(seed)") }
      let next = Instant.earlier(keeper.nextEvent, delivery.deadline)
      guard let next, next <= end else { break }
      time.advance(max(next - time.now, .zero))
      keeper.runDue()
      if delivery.deadline.isDue(at: time.now) { delivery.handleDeadline(at: time.now) }
    }
    time.advance(max(end - time.now, .zero))
  }

  // MARK: what came of it

  /// Numbers of the facts, as they are in the stream.
  var stored: [UInt64] { keeper.stream.map { FactWorld.number($0.id) } }

  static func number(_ id: String) -> UInt64 {
    UInt64(id.split(separator: "-").last ?? "") ?? 0
  }

  func stored(where isWanted: (ModelKeeper.Stored) -> Bool) -> [UInt64] {
    keeper.stream.filter(isWanted).map { FactWorld.number($0.id) }
  }

  subscript(status: String) -> Value? { delivery.status[status] }
}
