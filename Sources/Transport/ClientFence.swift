extension Client {
  public var takenAfter: Instant? { nil }
  public func renewTakenAfter() {}
}
