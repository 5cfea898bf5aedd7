/// Ends the process, which is how a target tells the fuzzer that its invariant is broken.
func require(_ condition: Bool, line: UInt = #line) {
  if !condition { fatalError("the invariant of line \(line) is broken") }
}
