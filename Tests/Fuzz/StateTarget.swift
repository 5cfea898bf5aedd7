// Invariant: any bytes are the image of a state file; what is read of it fits a slot, and its next slot, put
// into its place, reads back the same; only begun over an empty or a whole slot it gives the former entries or
// the new ones. (Over a damaged one it may repair by chance what had been there.) And what is taken as entries is
// the same when its values are set one by one.
//
// The first byte of the input chooses the size of a slot, the second how much of the next one is written.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  guard input.count >= 2 else { return 0 }
  checkEntries(input)
  let slotBytes = 28 + Int(input[0])
  let file = Array(input[2...])
  let image = StateImage(file.span, slotBytes: slotBytes)
  let room = StateImage.payloadBytesMax(slotBytes: slotBytes)
  require(image.entries.bytes.count <= room)
  require(StateEntries(image.entries.bytes.span) == image.entries)

  let slot = image.slot(of: image.entries)
  require(slot.count == slotBytes)
  let again = StateImage(written(slot[...], image, over: file).span, slotBytes: slotBytes)
  require(again.entries == image.entries && again.generation == image.generation &+ 1)
  require(again.nextSlot == 1 - image.nextSlot && !again.isUnreadable)

  switch image.nextSlot == 0 ? image.slots.first : image.slots.second {
  case .empty, .whole: break
  default: return 0
  }
  var changed = image.entries
  _ = try? changed.set([input[1]], [1, 2, 3], bytesMax: room)
  let next = image.slot(of: changed)
  let begun = next.prefix(Int(input[1]))
  let torn = StateImage(written(begun, image, over: file).span, slotBytes: slotBytes)
  require(torn.entries == image.entries || torn.entries == changed)
  return 0
}

/// Set from the last to the first, so that each is put before the others.
private func checkEntries(_ input: [UInt8]) {
  guard let entries = StateEntries(input.span) else { return }
  var keys: [[UInt8]] = []
  var offset = 0
  while offset < input.count {
    keys.append(Array(input[(offset + 2)...].prefix(Int(input[offset]))))
    offset += 2 + Int(input[offset]) + Int(input[offset + 1])
  }
  var again = StateEntries()
  for key in keys.reversed() {
    guard let value = entries.value(of: key) else { return require(false) }
    require((try? again.set(key, value, bytesMax: input.count)) == true)
  }
  require(again == entries)
}

/// The file with these bytes where the image's next slot begins.
private func written(_ bytes: ArraySlice<UInt8>, _ image: StateImage, over file: [UInt8]) -> [UInt8]
{
  var file = file
  let start = image.nextSlot * image.slotBytes
  while file.count < start + bytes.count { file.append(0) }
  file.replaceSubrange(start..<(start + bytes.count), with: bytes)
  return file
}
