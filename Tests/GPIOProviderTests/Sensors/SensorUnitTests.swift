import Transport
import XCTest

@testable import GPIOProvider

final class SensorUnitTests: XCTestCase {
  private let units = SensorUnit.all

  private func convert(_ value: Double, _ from: String, _ to: String) throws -> Double? {
    let from = try XCTUnwrap(units.first { $0.symbol == from }, from)
    let to = try XCTUnwrap(units.first { $0.symbol == to }, to)
    return from.conversion(to: to)?.apply(to: value).roundedToTwelveDigits
  }

  func testTheTableIsSound() {
    XCTAssertEqual(Set(units.map { $0.symbol }).count, units.count, "a symbol is there twice")
    for unit in units {
      XCTAssertNotEqual(unit.toBase.scale, 0, unit.symbol)
      XCTAssertTrue(unit.toBase.scale.isFinite && unit.toBase.offset.isFinite, unit.symbol)
      XCTAssertLessThanOrEqual(unit.symbol.utf8.count, 16)
    }
  }

  func testConversionsOfOneQuantity() throws {
    for (value, from, to, expected): (Double, String, String, Double) in [
      (21.5, "Cel", "K", 294.65), (0, "K", "Cel", -273.15), (101_325, "Pa", "hPa", 1013.25),
      (1013.25, "hPa", "Pa", 101_325), (3.3, "V", "mV", 3300), (12.5, "mA", "A", 0.0125),
      (0.43, "/", "%", 43), (1, "kWh", "J", 3_600_000), (10, "m/s", "km/h", 36),
      (3000, "1/min", "Hz", 50), (0, "dBW", "dBm", 30), (-67, "dBm", "dBW", -97),
      (1, "KiB", "B", 1024), (180, "deg", "rad", 3.14159265359), (1500, "ug/m3", "kg/m3", 1.5e-6),
      (1, "h", "min", 60), (8, "bit/s", "B/s", 1),
    ] {
      XCTAssertEqual(try convert(value, from, to), expected, "\(value) \(from) in \(to)")
    }
  }

  func testNothingElseIsConverted() throws {
    for (from, to) in [("Cel", "%RH"), ("V", "A"), ("%RH", "%"), ("count", "Hz"), ("B", "B/s")] {
      XCTAssertNil(try convert(1, from, to), "\(from) in \(to)")
    }
  }

  /// There and back is what it was, for each two units of one quantity.
  func testConversionsThereAndBack() throws {
    var random = SeededGenerator(seed: 8428)
    for from in units {
      for to in units where from.measuresSame(as: to) {
        let value = Double.random(in: -1000...1000, using: &random)
        let there = try XCTUnwrap(from.conversion(to: to)).apply(to: value)
        let back = try XCTUnwrap(to.conversion(to: from)).apply(to: there)
        let unsharpness = 1e-9 * (1 + from.toBase.offset.magnitude / from.toBase.scale)
        XCTAssertEqual(back, value, accuracy: unsharpness, "\(from.symbol) in \(to.symbol)")
      }
    }
  }

  func testEachKindsUnitIsKnown() {
    let quantities: [SensorQuantity] = [
      .temperature, .relativeHumidity, .pressure, .illuminance, .voltage, .current, .power, .energy,
      .charge, .resistance, .capacitance, .conductivity, .acceleration, .angularVelocity, .angle,
      .magneticFlux, .distance, .velocity, .acidity, .massConcentration, .batteryLevel, .frequency,
      .rotations, .count, .ratio, .duration, .bytes, .signal,
    ]
    for quantity in quantities {
      XCTAssertTrue(units.contains { $0.symbol == quantity.unit }, quantity.unit)
    }
  }
}
