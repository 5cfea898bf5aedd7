// Invariant: any text is the address of a server or an error; an address has a host without blanks, controls
// and user names, and a port, and is read back the same from its own text; an error's text repeats nothing
// of user names, passwords and tokens: it holds no '@'.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  let text = String(decoding: input, as: UTF8.self)
  do throws(ServerURLError) {
    let url = try ServerURL(parsing: text)
    require(!url.host.isEmpty && url.port > 0)
    require(url.host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") })
    let again = try? ServerURL(parsing: url.text.string)
    require(again == url)
  } catch {
    let said = Array(error.text.string.utf8)
    require(!said.isEmpty && said.count < 400 + 4 * input.count)
    // With an '@' in front of the host all that is said is that it should not be there.
    require(!said.contains(UInt8(ascii: "@")))
  }
  return 0
}
