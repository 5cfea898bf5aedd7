/// Rows with aligned columns, for people.
struct Table {
  private var rows: [[String]] = []

  /// A table without a head line.
  init() {}

  init(heads: [String]) { rows.append(heads) }

  mutating func append(_ row: [String]) { rows.append(row) }

  /// The text, a line per row; the last column is as wide as it is.
  var text: String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.utf8.count)
      }
    }
    var text = ""
    for row in rows {
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        text += isLast ? cell : padded(cell, to: widths[column] + 2)
      }
      text += "\n"
    }
    return text
  }
}

/// The text with blanks up to a width in bytes; longer text stays as it is.
func padded(_ text: String, to width: Int) -> String {
  var text = text
  var count = text.utf8.count
  while count < width {
    text += " "
    count += 1
  }
  return text
}
