import CYAML
import Transport

func version() -> String {
  var major: Int32 = 0
  var minor: Int32 = 0
  var patch: Int32 = 0
  yaml_get_version(&major, &minor, &patch)
  return "edge-host 0.1.0, libyaml \(major).\(minor).\(patch)"
}

print(version())
