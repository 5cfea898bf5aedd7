import CSodium

/// The key pair of a NATS user, made of its seed. The private half is wiped when it is given up.
///
/// A seed is base32 of: 5 bits "seed" and 8 bits of the kind, padded to two bytes; 32 bytes of
/// Ed25519's seed; CRC-16 of these. A public key is base32 of: a byte of the kind, the 32 bytes of the
/// key, CRC-16. Source: nats-io/nkeys, README and ADR-14 of nats-architecture-and-design.
public final class NKey {
  private static let seedPrefix: UInt8 = 18 << 3
  private static let userPrefix: UInt8 = 20 << 3
  private static let seedTextLength = 58
  static let publicTextLength = 56
  static let signatureTextLength = 86

  /// The public key as the server knows it: `U` and 55 more characters.
  public let publicKey: [UInt8]
  /// Ed25519's private key as libsodium keeps it: the seed and the public key.
  private let privateKey: Secret

  /// - Parameter text: the seed, `SU` and 56 more characters.
  public init(seed text: Span<UInt8>) throws(NKeyError) {
    guard text.count == NKey.seedTextLength else { throw .length(text.count) }
    var invalid: Int?
    // 58 characters are 36 bytes and two bits, which are 0.
    let raw = Secret(capacity: 37) { buffer in
      invalid = decodeBase32(text, into: buffer, capacity: 37)
      return 37
    }
    if let invalid { throw .character(offset: invalid) }
    let bytes = raw.bytes
    let kind = (bytes[0] & 7) << 5 | bytes[1] >> 3
    guard bytes[0] & 0xF8 == NKey.seedPrefix else { throw .notASeed }
    let sum = UInt16(bytes[34]) | UInt16(bytes[35]) << 8
    guard crc16(bytes.extracting(0..<34)) == sum, bytes[36] == 0 else { throw .checksum }
    guard kind == NKey.userPrefix else { throw .notAUser }
    var key = [UInt8](repeating: 0, count: 32)
    privateKey = Secret(capacity: 64) { buffer in
      _ = raw.withPointer { crypto_sign_ed25519_seed_keypair(&key, buffer, $0 + 2) }
      return 64
    }
    publicKey = NKey.text(publicKey: key)
  }

  private static func text(publicKey: [UInt8]) -> [UInt8] {
    var raw = [userPrefix] + publicKey
    let sum = crc16(raw.span)
    raw.append(UInt8(truncatingIfNeeded: sum))
    raw.append(UInt8(truncatingIfNeeded: sum >> 8))
    return encodeBase32(raw.span)
  }

  /// The signature of a server's nonce, as CONNECT carries it: base64url without padding.
  public func signature(of nonce: Span<UInt8>) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    nonce.withUnsafeBufferPointer { message in
      _ = privateKey.withPointer { key in
        crypto_sign_ed25519_detached(
          &signature, nil, message.baseAddress, UInt64(message.count), key)
      }
    }
    return encodeBase64URL(signature.span)
  }
}

/// What is wrong with a seed; nothing of it is repeated.
public enum NKeyError: Error, Equatable, Sendable {
  case length(Int)
  /// Not one of A to Z and 2 to 7.
  case character(offset: Int)
  /// A public key, for example.
  case notASeed
  case checksum
  /// The seed of an account or an operator.
  case notAUser
}

extension NKeyError: TextConvertible {
  public var text: Text {
    switch self {
    case .length(let length): "a seed has 58 characters, this has \(length)"
    case .character(let offset): "character \(offset + 1) of the seed is not one of A-Z and 2-7"
    case .notASeed: "this is no seed: the seed of a user begins with SU"
    case .checksum: "the seed's checksum is wrong: a character was changed"
    case .notAUser: "this is not the seed of a user, which begins with SU"
    }
  }
}

/// CRC-16/XMODEM: polynomial 0x1021, from 0, not reflected.
func crc16(_ bytes: Span<UInt8>) -> UInt16 {
  var sum: UInt16 = 0
  for index in bytes.indices {
    sum ^= UInt16(bytes[index]) << 8
    for _ in 0..<8 { sum = sum & 0x8000 != 0 ? sum << 1 ^ 0x1021 : sum << 1 }
  }
  return sum
}
