import Transport

/// Compares byte by byte.
@inline(never)
func matches(_ bytes: [UInt8], _ word: StaticString) -> Bool {
  word.utf8CodeUnitCount == bytes.count && hasPrefix(bytes, word)
}

@inline(never)
func hasPrefix(_ bytes: [UInt8], _ prefix: StaticString) -> Bool {
  prefix.withUTF8Buffer { prefix in
    if prefix.count > bytes.count { return false }
    for index in prefix.indices where prefix[index] != bytes[index] { return false }
    return true
  }
}

func isDigit(_ byte: UInt8) -> Bool {
  byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

/// Words that may stand somewhere. They are written as one text, with blanks between them: a list of
/// literals is some instructions for each.
struct Words: ExpressibleByStringLiteral {
  private(set) var list: [[UInt8]] = []

  @inline(never)
  init(stringLiteral text: StaticString) {
    var word: [UInt8] = []
    let text = ascii(text)
    for index in text.indices {
      if text[index] != UInt8(ascii: " ") {
        word.append(text[index])
        continue
      }
      list.append(word)
      word = []
    }
    if !word.isEmpty { list.append(word) }
  }

  init(_ words: [[UInt8]]) { list = words }

  @inline(never)
  init(_ words: [StaticString]) {
    for word in words { list.append(ascii(word).array) }
  }

  @inline(never)
  static func + (left: Words, right: Words) -> Words {
    var words = left
    words.list += right.list
    return words
  }

  @inline(never)
  func index(of bytes: [UInt8]) -> Int? {
    for index in list.indices where list[index] == bytes { return index }
    return nil
  }
}

/// `a`, `a or b`, `a, b or c`.
@inline(never)
func alternatives(_ words: Words, joinedBy last: StaticString = " or ") -> Text {
  var message = Text()
  for index in words.list.indices {
    if index > 0 { message.append(index == words.list.count - 1 ? last : ", ") }
    message.append(words.list[index].string)
  }
  return message
}

/// The word that was probably meant, if any is near enough.
@inline(never)
func nearest(to bytes: [UInt8], in words: Words) -> [UInt8]? {
  // A third of the letters may be wrong: of "kind" one, so that it does not become "line".
  let distanceMax = bytes.count < 3 ? 1 : min(3, max(1, bytes.count / 3))
  var best: (word: [UInt8], distance: Int)?
  for word in words.list {
    let distance = editDistance(lowercased(bytes), word)
    if distance <= distanceMax && distance < best?.distance ?? .max { best = (word, distance) }
  }
  return best?.word
}

/// ASCII letters only; other bytes stay.
@inline(never)
func lowercased(_ bytes: [UInt8]) -> [UInt8] {
  bytes.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to make one
/// word of the other (the restricted Damerau-Levenshtein distance). Words longer than any key are
/// simply far apart.
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  let lengthMax = 32
  if left.count > lengthMax || right.count > lengthMax { return lengthMax }
  // Row i holds the distances between the first i letters of `left` and each beginning of `right`.
  var beforeLast = [Int](repeating: 0, count: right.count + 1)
  var last = Array(0...right.count)
  var row = last
  for i in 0..<left.count {
    row[0] = i + 1
    for j in 0..<right.count {
      let replaced = last[j] + (left[i] == right[j] ? 0 : 1)
      var distance = min(last[j + 1] + 1, row[j] + 1, replaced)
      if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
        distance = min(distance, beforeLast[j - 1] + 1)
      }
      row[j + 1] = distance
    }
    beforeLast = last
    last = row
  }
  return last[right.count]
}
