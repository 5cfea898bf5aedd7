import Transport

/// Rows with aligned columns, for people.
struct Table {
  private var rows: [[String]] = []

  /// A table without a head line.
  init() {}

  init(heads: [String]) { rows.append(heads) }

  mutating func append(_ row: [String]) { rows.append(row.map { Text($0).harmless.string }) }

  /// The text, a line per row; the last column is as wide as it is.
  var text: Text {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], Text(cell).width)
      }
    }
    var text = Text()
    for row in rows {
      for (column, cell) in row.enumerated() {
        text.append(cell)
        if column < row.count - 1 { text.pad(widths[column] + 2 - Text(cell).width) }
      }
      text.append("\n")
    }
    return text
  }
}

extension Text {
  /// Adds this many blanks, none when negative.
  mutating func pad(_ count: Int) {
    for _ in 0..<max(count, 0) { append(" ") }
  }
}
