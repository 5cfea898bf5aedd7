// Invariant: any bytes are a header block or none; names and values lie inside the block, in order and
// without line ends, names without a colon; walking ends; the first value of a name is what is found for
// it; and what HeaderWriter makes of any value is read back as exactly one header.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  walk(input)
  walk(Array("NATS/1.0".utf8) + input)
  write(String(decoding: input, as: UTF8.self))
  return 0
}

private func walk(_ block: [UInt8]) {
  guard var reader = HeaderReader(block.span) else { return }
  require((reader.status ?? 0) <= 999)
  var end = 0
  var isFound = false
  while let header = reader.next() {
    require(header.name.lowerBound >= end)
    require(header.name.upperBound < header.value.lowerBound + 1)
    require(header.value.upperBound <= block.count)
    require(!block[header.name].contains(0x3A) && !block[header.name].contains(0x0A))
    require(!block[header.value].contains(0x0A))
    end = header.value.upperBound
    if block.span.extracting(header.name).equalsIgnoringCase("a"), !isFound {
      isFound = true
      require(reader.value(of: "A") == header.value)
    }
  }
  require(isFound || reader.value(of: "A") == nil)
}

private func write(_ value: String) {
  var writer = HeaderWriter()
  writer.append("A", value)
  let block = writer.finished()
  guard var reader = HeaderReader(block.span) else { return require(false) }
  guard let header = reader.next() else { return require(false) }
  require(block.span.extracting(header.name).equals("A"))
  require(reader.next() == nil)
}
