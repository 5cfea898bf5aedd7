// Invariant: any bytes are a `.creds` file or an error whose line is in the file; JWT and seed lie inside
// it, apart, on one line each, without blanks; CRLF for LF, and text around, change neither; a file made of
// the two is read back; and a key, if the seed is one, signs so that libsodium agrees.

import CSodium

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  sign(input)
  guard let found = read(input) else { return 0 }
  require(read(input.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }) == found)
  require(read([0x0A, 0x0A] + input + (input.last == 0x0A ? [0x0A] : [0x0A, 0x0A])) == found)
  var file = Array("-----BEGIN NATS USER JWT-----\n".utf8) + found.jwt
  file +=
    Array("\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n".utf8) + found.seed
  file += Array("\n------END USER NKEY SEED------\n".utf8)
  require(read(file) == found)
  sign(found.seed)
  return 0
}

private struct Found: Equatable {
  var jwt: [UInt8]
  var seed: [UInt8]
}

private func read(_ text: [UInt8]) -> Found? {
  let lineCount = text.count { $0 == 0x0A } + 1
  do throws(CredentialsError) {
    let layout = try CredentialsLayout(text.span)
    require(layout.jwt.lowerBound >= 0 && layout.jwt.upperBound <= text.count)
    require(layout.seed.lowerBound >= 0 && layout.seed.upperBound <= text.count)
    require(!layout.jwt.isEmpty && !layout.seed.isEmpty && !layout.jwt.overlaps(layout.seed))
    require(text[..<layout.seed.lowerBound].count { $0 == 0x0A } + 1 == Int(layout.seedLine))
    let found = Found(jwt: Array(text[layout.jwt]), seed: Array(text[layout.seed]))
    require(found.jwt.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !found.seed.contains(0x0A))
    return found
  } catch {
    require(Int(error.line) <= lineCount)
    return nil
  }
}

private func sign(_ seed: [UInt8]) {
  guard let key = try? NKey(seed: seed.span) else { return }
  require(seed.count == 58 && key.publicKey.count == 56 && key.publicKey.first == 0x55)
  var raw = [UInt8](repeating: 0, count: 35)
  let publicText = key.publicKey
  require(decodeBase32(publicText.span, into: &raw, capacity: raw.count) == nil)
  var signature = [UInt8](repeating: 0, count: 64)
  let text = key.signature(of: seed.span)
  require(text.count == 86 && decodeBase64URL(text, into: &signature))
  let publicKey = Array(raw[1..<33])
  require(
    crypto_sign_ed25519_verify_detached(signature, seed, UInt64(seed.count), publicKey) == 0)
}

private func decodeBase64URL(_ text: [UInt8], into bytes: inout [UInt8]) -> Bool {
  let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  var bits = 0
  var bitCount = 0
  var end = 0
  for byte in text {
    guard let value = alphabet.firstIndex(of: byte) else { return false }
    bits = (bits << 6 | value) & 0xFFFF
    bitCount += 6
    if bitCount >= 8 {
      bitCount -= 8
      if end < bytes.count { bytes[end] = UInt8(bits >> bitCount & 0xFF) }
      end += 1
    }
  }
  return end == bytes.count
}
