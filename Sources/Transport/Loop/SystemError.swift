import CLinux

/// A system call that failed: which one, on what, and the kernel's reason.
public struct SystemError: Error, Equatable {
  /// The call, as its manual page names it.
  public let call: StaticString
  /// The positive errno.
  public let code: Int32

  /// - Parameter result: the negative errno a `CLinux` function returned.
  public init(_ call: StaticString, _ result: Int32) {
    self.call = call
    self.code = result < 0 ? 0 &- result : 0
  }

  public static func == (left: SystemError, right: SystemError) -> Bool { left.code == right.code }

  /// Nothing failed: the call would only have had to wait (EAGAIN).
  public var isWouldBlock: Bool { code == 11 }

  /// The kernel's reason alone, for example "Connection refused".
  public var reason: String { String(cString: linux_error_text(code)) }
}

extension SystemError: TextConvertible {
  public var text: Text { "\(call): \(reason)" }
}

/// Returns a call's result, or throws when it is a negative errno.
@inline(__always)
public func check(_ call: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
  if result < 0 { throw SystemError(call, result) }
  return result
}
