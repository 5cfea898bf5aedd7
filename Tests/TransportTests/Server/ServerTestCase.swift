import XCTest

/// Real servers and clients of them, which end with each test.
class ServerTestCase: XCTestCase {
  private var servers: [NATSServer] = []
  private var clients: [LiveClient] = []

  override func tearDownWithError() throws {
    for client in clients { try client.end() }
    for server in servers { server.stop() }
    clients = []
    servers = []
  }

  func server(
    _ jetStream: String = "", leafOf hub: NATSServer? = nil, executable: String? = nil
  ) throws -> NATSServer {
    let server = try NATSServer(jetStream: jetStream, leafOf: hub, executable: executable)
    servers.append(server)
    return server
  }

  func client(_ server: NATSServer) throws -> LiveClient {
    let client = try LiveClient(server)
    clients.append(client)
    return client
  }
}
