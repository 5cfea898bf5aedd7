// From the open socket to CONNECT: TLS before INFO or behind it, and who we are.
extension Connection {
  mutating func handleOpened(_ link: Link, at now: Instant) {
    link.handleOpened(at: now)
    if requiresTLS(link), options.tls?.handshakeFirst == true {
      secure(link, at: now)
    } else if options.connectsEarly, !awaitsInfo, !requiresTLS(link),
      !options.authentication.isSecret
    {
      greet(link, at: now)
    }
  }

  private func requiresTLS(_ link: Link) -> Bool {
    options.tls != nil || link.server.requiresTLS
  }

  private mutating func secure(_ link: Link, at now: Instant) {
    if !TLSSession.isAvailable { return end(link, .requiresTLS, closesSocket: true, at: now) }
    link.beginSecuring(at: now)
    pending.append(.secure(link.id))
  }

  /// CONNECT and PING, with the subscriptions and the first messages behind them. Who has something to
  /// prove first asks the owner to read it.
  mutating func greet(_ link: Link, at now: Instant) {
    if options.authentication.isSecret {
      pending.append(.authenticate(link.id))
    } else {
      authenticate(link.id, .none, at: now)
    }
  }

  /// Who we are, for the CONNECT of a link.
  public mutating func authenticate(_ id: LinkID, _ proof: Proof, at now: Instant) {
    guard let link = link(id), !link.isGreeted else { return }
    let nonce = link.info.nonce.bytes
    do throws(AuthenticationError) {
      link.connectArgument = try options.connectArgument(
        proof, nonce: nonce.span, usesTLS: link.isSecured)
    } catch {
      return end(link, .noProof(error), closesSocket: true, at: now)
    }
    if link === current { subscriptions.forgetWritten() }
    link.ping(at: now)
  }

  /// It could not be read.
  public mutating func failAuthentication(
    _ id: LinkID, _ error: AuthenticationError, at now: Instant
  ) {
    if let link = link(id) { end(link, .noProof(error), closesSocket: true, at: now) }
  }

  /// INFO may come at any time; only the first of a link is answered by CONNECT, if at all.
  mutating func takeInfo(_ json: Span<UInt8>, of link: Link, at now: Instant) {
    do {
      link.info = try ServerInfo(json: json)
    } catch {
      return end(link, .malformedInfo(error), closesSocket: true, at: now)
    }
    if link === current { serverInfo = link.info }
    if !options.ignoresDiscoveredServers, let urls = link.info.connectURLs { discover(urls) }
    if case .awaitingInfo = link.state { takeFirstInfo(of: link, at: now) }
    if link.info.isLameDuck { handleLameDuck(link, at: now) }
  }

  private mutating func takeFirstInfo(of link: Link, at now: Instant) {
    link.isInformed = true
    if !link.info.supportsHeaders {
      return end(link, .lacksHeaders(version: link.info.version), closesSocket: true, at: now)
    }
    if !link.isSecured, requiresTLS(link) || link.info.requiresTLS {
      if !link.info.requiresTLS, !link.info.offersTLS {
        // Never without: whoever is on the way could have taken it out.
        return end(link, .tls(.notOffered), closesSocket: true, at: now)
      }
      if link.connectArgument != nil || link.isGreeted {
        awaitsInfo = true
        return end(link, .requiresTLS, closesSocket: true, at: now)
      }
      return secure(link, at: now)
    }
    link.state = .awaitingPong(deadline: now + limits.link.timeouts.pong)
    if link.connectArgument == nil, !link.isGreeted { greet(link, at: now) }
  }

  /// Servers that are told of have no scheme: where the manifest wants TLS, they need it as well.
  private mutating func discover(_ urls: [ServerURL]) {
    let needsTLS = options.servers.contains { $0.requiresTLS }
    servers.handleDiscovered(needsTLS ? urls.map { $0.requiringTLS } : urls)
  }
}
