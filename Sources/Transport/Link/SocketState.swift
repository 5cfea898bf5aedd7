import CLinux

/// Why a connection's socket will not carry anything any more.
public enum PathLoss: Error, Equatable, Sendable {
  /// Our address, which the socket keeps to its end.
  case addressGone
  /// The last route to the server, or what else the kernel says.
  case unreachable(SystemError)
}

/// A connected socket as the kernel sees it. It borrows the descriptor, which its owner closes.
public struct SocketState {
  private let socket: Int32
  /// What the peer acknowledges of a Multipath TCP connection is only seen by what is left to send.
  private let isMultipath: Bool
  /// The socket's own address.
  public let local: NetworkAddress?
  /// The LINUX_TCP_ bits of the options that the kernel took.
  public let options: UInt32

  /// Sets the options that the link's settings ask for.
  /// - Parameter unsentBytesMax: what the kernel may hold unsent.
  public init(_ socket: Int32, settings: LinkSettings, unsentBytesMax: UInt32) {
    self.socket = socket
    isMultipath = linux_tcp_is_multipath(socket) == 1
    var bytes = [UInt8](repeating: 0, count: 16)
    let length = Int(linux_local_address(socket, &bytes))
    local = length > 0 ? NetworkAddress(bytes.span.extracting(0..<min(length, 16))) : nil
    var options = linux_tcp_options()
    // Far behind our own verdict: while a receiver that is slow to read closes its window, the kernel counts
    // this time although bytes get through, and would end a link that lives.
    options.user_timeout_milliseconds = UInt32(
      clamping: (settings.detect * 4 + .seconds(60)).milliseconds)
    // The PING comes before these probes, which cost nothing then; they are for a process that is
    // stopped or does not come to its turn.
    options.keepalive_idle_seconds = UInt32(clamping: settings.detect.seconds)
    options.keepalive_interval_seconds = 5
    options.keepalive_probes = 3
    options.retransmission_pause_max_milliseconds = UInt32(
      clamping: settings.retransmissionPauseMax.milliseconds)
    options.thin_linear_timeouts = 1
    options.unsent_bytes_max = unsentBytesMax
    // What a kernel does not know is no reason to stay away: our own timers do the same.
    self.options = linux_tcp_configure(socket, &options)
  }

  /// How many bytes the peer has acknowledged in all, and when it did so last.
  /// - Parameter written: bytes handed to the socket so far, for kernels and connections that only
  ///   tell how many are left.
  public func acknowledged(written: UInt64, at now: Instant) -> (bytes: UInt64, at: Instant)? {
    var progress = linux_tcp_progress()
    if linux_tcp_progress_of(socket, &progress) < 0 { return nil }
    if progress.known & UInt32(LINUX_TCP_HAS_BYTES) != 0 && !isMultipath {
      let ago = Duration.milliseconds(Int64(progress.milliseconds_since_acknowledgement))
      return (progress.bytes_acknowledged, now - ago)
    }
    if progress.known & UInt32(LINUX_TCP_HAS_QUEUED) == 0 { return nil }
    let left = UInt64(progress.queued_bytes)
    return (written > left ? written - left : 0, now)
  }

  /// What an event of the network means for this connection: nil when it can go on. One of several paths
  /// may always go.
  public func loss(after event: NetworkEvent) -> PathLoss? {
    if isMultipath { return nil }
    switch NetworkAdvice(for: event, local: local) {
    case .nothing, .tryNow: return nil
    case .close: return .addressGone
    case .checkPath: break
    }
    let result = linux_path_check(socket)
    if result >= 0 { return nil }
    let addressNotAvailable: Int32 = 99
    let error = SystemError("connect", result)
    if error.code == addressNotAvailable { return .addressGone }
    // Whatever else went wrong (no descriptors, no memory) says nothing of the path.
    let unreachable: [Int32] = [101, 113]
    return unreachable.contains(error.code) ? .unreachable(error) : nil
  }
}
