import Transport

/// A unit of SenML's registry (RFC 8428, section 12.1, and the secondary units of RFC 8798); and `rad/s`,
/// which gyroscopes have and the registry has not.
public struct SensorUnit: Sendable {
  public let symbol: String
  /// Units of one number measure the same and can be converted into each other.
  let quantity: Int
  /// What a transducer gives for something else: a voltage that stands for a pressure.
  public let isOfTransducers: Bool
  /// To the first unit of the quantity.
  let toBase: LinearTransform

  /// A quantity on each line: units, each the first one times a number, plus another one. A `*` marks
  /// what transducers give.
  private static let registry: StaticString = """
    Cel,1 K,1,-273.15
    %RH,1
    Pa,1 hPa,100
    * V,1 mV,0.001
    * A,1 mA,0.001
    * Ohm,1
    * S,1
    * /,1 %,0.01 /100,0.01 /1000,0.001 ppm,0.000001
    * count,1
    * Hz,1 MHz,1000000 1/s,1 1/min,0.016666666666666666
    W,1 kW,1000
    VA,1 kVA,1000
    var,1 kvar,1000
    J,1 Wh,3600 kWh,3600000
    VAs,1 kVAh,3600000
    vars,1 varh,3600 kvarh,3600000
    C,1 Ah,3600
    s,1 ms,0.001 min,60 h,3600
    m,1 mm,0.001 cm,0.01 km,1000
    m/s,1 km/h,0.2777777777777778 m/h,0.0002777777777777778 mm/h,0.0000002777777777777778
    m/s2,1
    m2,1
    m3,1 l,0.001
    m3/s,1 l/s,0.001
    rad,1 deg,0.017453292519943295
    rad/s,1
    kg,1 g,0.001
    kg/m3,1 ug/m3,0.000000001
    N,1
    B,1 bit,0.125 KiB,1024 GB,1000000000
    B/s,1 bit/s,0.125 MB/s,1000000 Mbit/s,125000
    dBW,1 dBm,1,-30
    dB,1
    Bspl,1
    %EL,1
    EL,1
    lx,1
    lm,1
    cd,1
    cd/m2,1
    W/m2,1
    J/m,1 Wh/km,3.6
    S/m,1
    T,1
    Wb,1
    H,1
    F,1
    pH,1
    lat,1
    lon,1
    mol,1
    sr,1
    Bq,1
    Gy,1
    Sv,1
    kat,1
    beat/min,1
    beats,1
    """

  /// Made anew at each call: it is needed only while a manifest is read.
  public static var all: [SensorUnit] {
    registry.withUTF8Buffer { text in
      var units: [SensorUnit] = []
      var quantity = 0
      for line in text.split(separator: UInt8(ascii: "\n")) {
        var isOfTransducers = false
        for word in line.split(separator: UInt8(ascii: " ")) {
          let parts = word.split(separator: UInt8(ascii: ","))
          // The mark stands alone.
          guard parts.count > 1 else {
            isOfTransducers = true
            continue
          }
          units.append(
            SensorUnit(
              symbol: Array(parts[0]).string, quantity: quantity,
              isOfTransducers: isOfTransducers,
              toBase: LinearTransform(
                scale: number(parts[1]), offset: parts.count > 2 ? number(parts[2]) : 0)))
        }
        quantity += 1
      }
      return units
    }
  }

  private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Double {
    parseDecimal(Array(digits).span) ?? 0
  }

  /// What makes a value in this unit one in another; nil when they measure different things.
  public func conversion(to other: SensorUnit) -> LinearTransform? {
    if quantity != other.quantity { return nil }
    // Exactly that, also where going there and back would not be.
    if toBase == other.toBase { return .identity }
    let inverse = LinearTransform(
      scale: 1 / other.toBase.scale, offset: -other.toBase.offset / other.toBase.scale)
    return toBase.then(inverse)
  }

  public func measuresSame(as other: SensorUnit) -> Bool { quantity == other.quantity }
}
