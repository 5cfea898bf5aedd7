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
    _ jetStream: String = "", leafOf hub: NATSServer? = nil,
    release: NATSServer.Release = .installed
  ) throws -> NATSServer {
    let server = try NATSServer(release, jetStream: jetStream, leafOf: hub)
    servers.append(server)
    return server
  }

  func client(_ server: NATSServer) throws -> LiveClient {
    let client = try LiveClient(server)
    clients.append(client)
    return client
  }
}
