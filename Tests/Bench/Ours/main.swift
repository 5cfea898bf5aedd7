// Our client, measured: `bench MODE PORT SIZE COUNT`. With the limits that it ships with.
import CBench
import Transport

guard let mode = bench_text_argument(1) else { bench_fail("bench MODE PORT SIZE COUNT") }
let size = Int(bench_argument(3))
let total = Int(bench_argument(4))

do throws(SystemError) {
  let session = try Session(port: UInt16(clamping: bench_argument(2)))
  switch String(cString: mode) {
  case "publish": try publish(session)
  case "receive": try receive(session)
  case "request": try request(session)
  case "respond": try respond(session)
  case "idle": try idle(session)
  case "watch": try watch(session)
  case "urgent": try urgent(session)
  default: bench_fail("no such mode")
  }
} catch {
  bench_fail("system call failed")
}
