@testable import Transport

/// A pair in each state a connection can be in.
extension Pair {
  static func stopped(seed: UInt64 = 1) -> Pair { Pair(seed: seed) }

  /// The socket is being opened and nothing answers.
  static func opening(seed: UInt64 = 1) -> Pair {
    let pair = Pair(seed: seed)
    pair.endpoint.reachability = [.vanishing]
    pair.start()
    return pair
  }

  /// An attempt has failed; the next waits for its time.
  static func waiting(seed: UInt64 = 1) throws(Failure) -> Pair {
    let pair = Pair(seed: seed)
    pair.endpoint.reachability = [.refusing]
    pair.start()
    try pair.drive { !pair.disconnects.isEmpty }
    return pair
  }

  /// The socket is open and the server has said nothing.
  static func awaitingInfo(seed: UInt64 = 1) throws(Failure) -> Pair {
    var options = ModelServer.Options()
    options.isMute = true
    let pair = Pair(seed: seed, server: options, connectsEarly: false)
    pair.start()
    try pair.drive { pair.endpoint.socket != nil }
    return pair
  }

  /// CONNECT is sent; the server does not answer the PING behind it.
  static func awaitingPong(seed: UInt64 = 1) throws(Failure) -> Pair {
    var options = ModelServer.Options()
    options.answersPing = false
    let pair = Pair(seed: seed, server: options)
    pair.start()
    try pair.drive { pair.server.connected.first.map { pair.server.connectCount(of: $0) } == 1 }
    return pair
  }

  static func connected(
    seed: UInt64 = 1, servers: Int = 1, limits: ConnectionLimits = .init(),
    link: LinkConditions = .init(), server options: ModelServer.Options = .init()
  ) throws(Failure) -> Pair {
    let pair = Pair(seed: seed, servers: servers, limits: limits, link: link, server: options)
    pair.start()
    try pair.drive { pair.isConnected }
    return pair
  }

  /// The last PING is sent; the server does not answer it.
  static func draining(seed: UInt64 = 1) throws(Failure) -> Pair {
    let pair = try Pair.connected(seed: seed)
    pair.server.options.answersPing = false
    pair.drain()
    return pair
  }
}
