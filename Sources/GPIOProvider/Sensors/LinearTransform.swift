/// `value × scale + offset`.
public struct LinearTransform: Equatable, Sendable {
  public var scale: Double
  public var offset: Double

  public static var identity: LinearTransform { LinearTransform() }

  public init(scale: Double = 1, offset: Double = 0) {
    self.scale = scale
    self.offset = offset
  }

  public func apply(to value: Double) -> Double { value * scale + offset }

  /// This one, and then another.
  public func then(_ next: LinearTransform) -> LinearTransform {
    LinearTransform(scale: scale * next.scale, offset: offset * next.scale + next.offset)
  }
}

extension Double {
  /// The nearest number of twelve significant digits: more than any sensor resolves, and without the
  /// last digits that calculating in binary leaves (`321.46200000000005`), which links would carry.
  /// Numbers of twelve digits before the point and more, and tiny ones, stay as they are.
  var roundedToTwelveDigits: Double {
    guard isFinite, magnitude < 1e12, magnitude >= 1e-10 else { return self }
    // Powers of ten are exact up to 10²², so that the division gives the nearest number.
    var power = 1.0
    while magnitude * power < 1e11 { power *= 10 }
    let digits = magnitude * power + 0.5
    // Below 10¹² and a half: it fits.
    let rounded = Double(Int64(digits)) / power
    return self < 0 ? -rounded : rounded
  }
}
