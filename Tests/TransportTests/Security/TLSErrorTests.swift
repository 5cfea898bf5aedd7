import XCTest

@testable import Transport

final class TLSErrorTests: XCTestCase {
  /// What a board says that judges certificates before its clock is set, and whether it waits for somebody.
  func testDatesAreJudgedByAClockThatMayBeWrong() {
    let doubt = "; but the clock of this host is not synchronised, and may be wrong"
    let table: [(TLSError, text: String, needsOperator: Bool)] = [
      (
        .notYetValid("hub, which begins 2027-01-01 00:00 UTC", .unset),
        "the clock of this host is not set: the certificate of hub, which begins 2027-01-01 00:00 UTC, "
          + "is not valid yet", false
      ),
      (
        .notYetValid("hub, which begins X", .unsynchronised),
        "the certificate of hub, which begins X, is not valid yet" + doubt, false
      ),
      (
        .notYetValid("hub, which begins X", .synchronised),
        "the certificate of hub, which begins X, is not valid yet", true
      ),
      (
        .expired("hub, which ended X", .unsynchronised),
        "the certificate of hub, which ended X, is not valid any more" + doubt, false
      ),
      (
        .expired("hub, which ended X", .synchronised),
        "the certificate of hub, which ended X, is not valid any more", true
      ),
      // By the day on which the program was made.
      (
        .expired("hub, which ended X", .unset),
        "the certificate of hub, which ended X, is not valid any more", true
      ),
    ]
    for (error, text, needsOperator) in table {
      XCTAssertEqual(error.text.string, text)
      XCTAssertEqual(error.needsOperator, needsOperator, text)
    }
  }
}
