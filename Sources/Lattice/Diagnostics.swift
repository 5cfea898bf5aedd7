import Transport

/// Takes note of what goes wrong without ending anything. The program's implementation writes each
/// kind to the log at most once a minute, with the count of what it left out.
public protocol Diagnostics: AnyObject {
  func report(_ kind: StaticString, _ text: @autoclosure () -> Text)
}
