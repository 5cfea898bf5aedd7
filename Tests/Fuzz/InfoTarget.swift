// Invariant: any bytes are an INFO or a JSONError whose place lies in the text; an INFO's limit is
// positive; blanks around the text change nothing; and no proper prefix of an object is an object.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  let info = read(input)
  require(read([0x20] + input + [0x0D, 0x0A]) == info)
  guard let info else { return 0 }
  require(info.maxPayload > 0)
  if input.last == 0x7D, input.count < 1000 {
    for length in input.indices { require(read(Array(input[..<length])) == nil) }
  }
  return 0
}

private func read(_ text: [UInt8]) -> ServerInfo? {
  do throws(JSONError) {
    return try ServerInfo(json: text.span)
  } catch {
    require(error.offset >= 0 && error.offset <= text.count)
    return nil
  }
}
