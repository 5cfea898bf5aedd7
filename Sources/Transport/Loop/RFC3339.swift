// Dates as RFC 3339 writes them, in the proleptic Gregorian calendar. A `Timestamp` reaches from
// 1677-09-21 to 2262-04-11, so a year always has four digits.

extension Timestamp {
  /// `2026-11-03T07:54:43.000000000Z`: always UTC, always nine digits of fraction, so that texts
  /// sort as their times do.
  public var rfc3339: String {
    let (days, nanosecondOfDay) = floorDivision(nanoseconds, nanosecondsPerDay)
    let date = CivilDate(daysSince1970: days)
    let second = nanosecondOfDay / nanosecondsPerSecond
    var text: [UInt8] = []
    text.reserveCapacity(30)
    appendDigits(date.year, 4, to: &text)
    text.append(UInt8(ascii: "-"))
    appendDigits(date.month, 2, to: &text)
    text.append(UInt8(ascii: "-"))
    appendDigits(date.day, 2, to: &text)
    text.append(UInt8(ascii: "T"))
    appendDigits(second / 3_600, 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendDigits(second / 60 % 60, 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendDigits(second % 60, 2, to: &text)
    text.append(UInt8(ascii: "."))
    appendDigits(nanosecondOfDay % nanosecondsPerSecond, 9, to: &text)
    text.append(UInt8(ascii: "Z"))
    return text.string
  }

  /// Reads a date and time of RFC 3339 section 5.6 with `Z` or an offset, and with none to nine
  /// digits of fraction. Nil when the bytes are anything else or the time is out of range.
  ///
  /// A leap second (`23:59:60` in UTC) counts as the second after it, as the kernel's clock has it.
  public init?(rfc3339 bytes: Span<UInt8>) {
    var reader = DateReader(bytes)
    guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2),
      reader.skip("-"), let day = reader.digits(2), reader.skip("T", or: "t"),
      let hour = reader.digits(2), reader.skip(":"), let minute = reader.digits(2),
      reader.skip(":"), let second = reader.digits(2), let fraction = reader.fraction(),
      let offsetMinutes = reader.offsetMinutes(), reader.isAtEnd,
      let date = CivilDate(year: year, month: month, day: day),
      hour <= 23, minute <= 59, second <= 60
    else { return nil }

    let minutes = date.daysSince1970 * 1_440 + hour * 60 + minute - offsetMinutes
    if second == 60 && floorDivision(minutes, 1_440).remainder != 1_439 { return nil }
    let (whole, overflowed) = (minutes * 60 + second)
      .multipliedReportingOverflow(by: nanosecondsPerSecond)
    if overflowed {
      // In the first, broken second of the range the whole second is out of it and the time is not.
      let next = (minutes * 60 + second + 1).multipliedReportingOverflow(by: nanosecondsPerSecond)
      let time = next.partialValue.addingReportingOverflow(fraction - nanosecondsPerSecond)
      if next.overflow || time.overflow { return nil }
      self.init(nanoseconds: time.partialValue)
      return
    }
    let (nanoseconds, sumOverflowed) = whole.addingReportingOverflow(fraction)
    if sumOverflowed { return nil }
    self.init(nanoseconds: nanoseconds)
  }
}

private let nanosecondsPerSecond: Int64 = 1_000_000_000
private let nanosecondsPerDay: Int64 = 86_400 * nanosecondsPerSecond

/// A day of the Gregorian calendar.
private struct CivilDate {
  var year: Int64
  var month: Int64
  var day: Int64

  private static let daysPer400Years: Int64 = 146_097
  /// From 0000-03-01 to 1970-01-01.
  private static let daysBefore1970: Int64 = 719_468

  /// Nil when there is no such day.
  init?(year: Int64, month: Int64, day: Int64) {
    if month < 1 || month > 12 || day < 1 { return nil }
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let length: Int64 =
      switch month {
      case 2: isLeapYear ? 29 : 28
      case 4, 6, 9, 11: 30
      default: 31
      }
    if day > length { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  // Years are counted from March, so that the leap day is a year's last and the lengths of the
  // months before it repeat: 31 30 31 30 31, 153 days for five months.

  init(daysSince1970: Int64) {
    let (cycle, dayOfCycle) = floorDivision(
      daysSince1970 + CivilDate.daysBefore1970, CivilDate.daysPer400Years)
    // The last day of 4, of 100 and of 400 years is the leap day: take those before it away.
    let yearOfCycle =
      (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (dayOfYear * 5 + 2) / 153
    day = dayOfYear - (monthFromMarch * 153 + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
  }

  var daysSince1970: Int64 {
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let (cycle, yearOfCycle) = floorDivision(month > 2 ? year : year - 1, 400)
    let dayOfYear = (monthFromMarch * 153 + 2) / 5 + day - 1
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    return cycle * CivilDate.daysPer400Years + dayOfCycle - CivilDate.daysBefore1970
  }
}

/// A cursor over a date's bytes; a method that returns nil or false has found something else.
private struct DateReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  @_lifetime(self: copy self)
  mutating func digits(_ count: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<count {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  @_lifetime(self: copy self)
  mutating func skip(_ character: Unicode.Scalar, or other: Unicode.Scalar? = nil) -> Bool {
    guard let next, next == UInt8(ascii: character) || next == other.map({ UInt8(ascii: $0) })
    else { return false }
    position += 1
    return true
  }

  /// Nanoseconds; 0 when there is no fraction.
  @_lifetime(self: copy self)
  mutating func fraction() -> Int64? {
    if !skip(".") { return 0 }
    var value: Int64 = 0
    var unit = nanosecondsPerSecond
    while let digit = digit() {
      if unit == 1 { return nil }
      unit /= 10
      value += digit * unit
    }
    return unit == nanosecondsPerSecond ? nil : value
  }

  /// Minutes that the written time is ahead of UTC.
  @_lifetime(self: copy self)
  mutating func offsetMinutes() -> Int64? {
    if skip("Z", or: "z") { return 0 }
    let isBehind = skip("-")
    guard isBehind || skip("+"), let hours = digits(2), skip(":"), let minutes = digits(2),
      hours <= 23, minutes <= 59
    else { return nil }
    return (hours * 60 + minutes) * (isBehind ? -1 : 1)
  }

  @_lifetime(self: copy self)
  private mutating func digit() -> Int64? {
    guard let next, next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") else { return nil }
    position += 1
    return Int64(next - UInt8(ascii: "0"))
  }
}

/// Rounds down, so that the remainder is never negative.
private func floorDivision(
  _ value: Int64, _ divisor: Int64
) -> (quotient: Int64, remainder: Int64) {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

private func appendDigits(_ value: Int64, _ count: Int, to text: inout [UInt8]) {
  var unit: Int64 = 1
  for _ in 1..<count { unit *= 10 }
  while unit > 0 {
    text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / unit % 10))
    unit /= 10
  }
}
