extension ConnectionOptions {
  /// The JSON of CONNECT. What is left out would be true on the server: +OK for every operation, and
  /// our own messages back.
  var connectArgument: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("verbose")
    json.bool(false)
    json.key("pedantic")
    json.bool(false)
    json.key("echo")
    json.bool(echo)
    json.key("tls_required")
    json.bool(false)
    json.key("lang")
    json.string("swift")
    json.key("version")
    json.string(version)
    json.key("name")
    json.string(name)
    json.key("protocol")
    json.integer(1)
    json.key("headers")
    json.bool(true)
    json.key("no_responders")
    json.bool(true)
    json.endObject()
    return json.bytes
  }
}
