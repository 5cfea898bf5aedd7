import CBench
import Transport

// The journal as a queue of facts:
//
//     journal MODE FOLDER COUNT BATCH TAIL
//
// backlog   facts are kept and nobody acknowledges them; then all are read and acknowledged in order; all
//           that twice, so that the second time finds files that have been in use
// fill      facts are kept, and the process is killed
// recover   opens what `fill` has left: COUNT facts
// healthy   each is acknowledged before the next is kept
//
// A batch is what happens within `sync`, which passes as fast as the journal can. FOLDER is on the disk that
// is measured; TAIL, which outlives only the process, is a file in memory.

guard let mode = bench_text_argument(1), let folder = bench_text_argument(2),
  let tail = bench_text_argument(5), bench_argument(4) > 0,
  bench_argument(3) % bench_argument(4) == 0
else { bench_fail("MODE FOLDER COUNT BATCH TAIL") }
let count = bench_argument(3)
let batch = bench_argument(4)

do throws(SystemError) {
  let memory = bench_memory_bytes()
  let queue = try Queue(in: String(cString: folder), tail: String(cString: tail))
  switch String(cString: mode) {
  case "backlog":
    try queue.append(1...count, inBatchesOf: batch, as: "first_append")
    try queue.drain(1...count, inBatchesOf: batch, as: "first_drain")
    let again = (count + 1)...(2 * count)
    try queue.append(again, inBatchesOf: batch, as: "append")
    try queue.drain(again, inBatchesOf: batch, as: "drain")
    bench_report("memory_bytes", Double(queue.memoryMax - memory))
  case "fill":
    try queue.append(1...count, inBatchesOf: batch, as: "append")
    bench_crash()
  case "recover": queue.report(recoveryOf: count)
  case "healthy": try queue.passThrough(1...count, inBatchesOf: batch)
  default: bench_fail("no such mode")
  }
} catch {
  bench_fail("system call failed")
}
