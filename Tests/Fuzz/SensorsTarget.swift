// Invariant: whatever a file of sysfs or procfs holds, each parser of sensors gives a finite value or a
// reason that names the file, and the same again; a 1-Wire reading has a verdict and a number; tables have a
// bounded number of rows; and a number in a file stands in it.

import Transport

@testable import GPIOProvider

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  checkNumbers(input)
  checkThermometer(input)
  let rows = WirelessTable.rows(input)
  require(rows.count <= 16 && rows == WirelessTable.rows(input))
  require(rows.allSatisfy { !$0.interface.utf8.isEmpty })
  if let ticks = ProcessorTicks(input) { require(ticks.idle <= ticks.all) }
  checkPattern(input)
  return 0
}

private func checkNumbers(_ input: [UInt8]) {
  let line = Array(AttributeText.trimmed(input))
  if let value = AttributeText.integer(input) {
    require(line.count <= 19 && AttributeText.decimal(input) == Double(value))
  }
  if let value = AttributeText.decimal(input) { require(value.isFinite) }
  if AttributeText.hexadecimal(input) != nil { require((1...10).contains(line.count)) }
  require(AttributeText.quoted(input).bytes.count <= 50)
}

private func checkThermometer(_ input: [UInt8]) {
  do throws(ReadingError) {
    _ = try W1Slave.temperature(input, "w1_slave")
    require(contains(Array("YES".utf8), input) && contains(Array("t=".utf8), input))
  } catch {
    require(error.reason.begins(with: "w1_slave"))
  }
}

/// The input up to the first NUL is what stands before the number, the rest the file.
private func checkPattern(_ input: [UInt8]) {
  let text = input.prefix { $0 != 0 }
  let content = Array(input.dropFirst(text.count + 1))
  let after = String(decoding: text, as: UTF8.self)
  for line in [nil, 1, 2] as [UInt32?] {
    let pattern = FilePattern(path: "file", after: text.isEmpty ? nil : after, line: line)
    do throws(ReadingError) {
      require(try pattern.number(in: content).isFinite)
      require(text.isEmpty || contains(Array(after.utf8), content))
    } catch {
      require(error.reason.begins(with: "file"))
    }
  }
}

private func contains(_ part: [UInt8], _ content: [UInt8]) -> Bool {
  if part.count > content.count { return false }
  return (0...content.count - part.count).contains {
    content[$0..<$0 + part.count].elementsEqual(part)
  }
}
