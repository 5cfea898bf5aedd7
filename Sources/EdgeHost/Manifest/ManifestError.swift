import Transport

/// A place in the manifest, counted from 1. Columns count characters.
struct Mark: Equatable {
  var line: UInt32
  var column: UInt32
}

extension Mark: TextConvertible {
  var text: Text { "\(line):\(column)" }
}

/// One mistake, and where it is.
struct ManifestError: Error, Equatable {
  let file: String
  /// nil when the file as a whole is meant.
  let mark: Mark?
  let message: String
}

extension ManifestError: TextConvertible {
  /// `FILE:LINE:COLUMN: MESSAGE`, as compilers write it and editors follow it.
  var text: Text {
    if let mark { "\(file):\(mark): \(message)" } else { "\(file): \(message)" }
  }
}

/// All mistakes of a manifest, in the order of their places.
struct ManifestErrors: Error, Equatable {
  var errors: [ManifestError]
  /// How many more there are than are listed.
  var omittedCount = 0
}

extension ManifestErrors: TextConvertible {
  /// One line for each mistake, each ended by a newline.
  var text: Text {
    var lines = Text()
    for error in errors { lines += "\(error)\n" }
    if omittedCount > 0, let file = errors.first?.file {
      lines += "\(file): and \(omittedCount) more\n"
    }
    return lines
  }
}

/// Collects the mistakes found while a manifest is read: an operator wants all of them at once. It
/// keeps the first ones by place and counts the others.
final class ProblemList {
  private(set) var problems: [(mark: Mark, message: Text)] = []
  private(set) var omittedCount = 0

  var isEmpty: Bool { problems.isEmpty }

  func report(_ mark: Mark, _ message: Text) {
    let index = problems.firstIndex { mark.isBefore($0.mark) } ?? problems.count
    if index == ManifestLimits.problemsMax {
      omittedCount += 1
      return
    }
    problems.insert((mark, message), at: index)
    if problems.count > ManifestLimits.problemsMax {
      problems.removeLast()
      omittedCount += 1
    }
  }

  func errors(in file: String) -> ManifestErrors {
    ManifestErrors(
      errors: problems.map { ManifestError(file: file, mark: $0.mark, message: $0.message.string) },
      omittedCount: omittedCount)
  }
}

extension Mark {
  fileprivate func isBefore(_ other: Mark) -> Bool {
    line < other.line || line == other.line && column < other.column
  }
}
