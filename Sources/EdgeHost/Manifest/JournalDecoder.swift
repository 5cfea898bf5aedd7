import Lattice
import Transport

/// Decodes how facts are kept until somebody else keeps them.
enum JournalDecoder {
  static func decode(_ field: Field, into journal: inout Manifest.Journal) {
    guard
      let reader = field.mapping(
        "the journal", keys: "size sync memory path delivery")
    else { return }
    if let size = reader.field("size") { decodeSize(size, &journal.configuration) }
    if let sync = reader.field("sync")?.duration(in: ManifestLimits.journalSync) {
      journal.configuration.sync = sync
    }
    if let memory = reader.field("memory")?.size(in: ManifestLimits.journalMemoryBytes) {
      journal.configuration.memory = Int(clamping: memory)
    }
    if let path = reader.field("path") {
      journal.path = path.path(
        "a path such as /var/lib/edge-host/journal", bytesMax: ManifestLimits.pathBytesMax)
    }
    if let delivery = reader.field("delivery")?.choice(
      "acknowledged at_most_once", [FactGuarantee.acknowledged, .atMostOnce])
    {
      journal.guarantee = delivery
    }
    if journal.configuration.size == 0 {
      reader.refuse("path", "makes no sense with 'size: 0B': nothing is on the disk")
      reader.refuse("sync", "makes no sense with 'size: 0B': nothing is on the disk")
    }
  }

  /// Nothing, or a size that a journal can have.
  private static func decodeSize(_ field: Field, _ configuration: inout JournalConfiguration) {
    let sizes = ManifestLimits.journalBytes
    guard let size = field.size(in: 0...sizes.upperBound) else { return }
    if size > 0 && size < sizes.lowerBound {
      return field.reportMismatch(
        """
        0B, for none, or a size from \(Quantity.size.text(sizes.lowerBound)) to \
        \(Quantity.size.text(sizes.upperBound))
        """)
    }
    configuration.size = Int(clamping: size)
  }
}
