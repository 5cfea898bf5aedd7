"""As much of a NATS server as a handshake needs, with TLS as a test wants it: of one version, or before
INFO. It lets everybody in."""

import socket
import ssl
import threading

INFO = (b'INFO {"server_id":"secure","version":"2.10.27","proto":1,"headers":true,'
        b'"max_payload":1048576,"tls_required":true}\r\n')


class SecureServer:
    """Listens on `port` while entered as a context.

    version          the only version of TLS it speaks, such as "TLSv1.2"; without it, any
    handshake_first  TLS comes before INFO
    """

    def __init__(self, certificates, version=None, handshake_first=False):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(
            certificates.path("server-ec.pem"), certificates.path("server-ec.key"))
        if version:
            only = getattr(ssl.TLSVersion, version.replace(".", "_"))
            self._context.minimum_version = self._context.maximum_version = only
        self._handshake_first = handshake_first

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                if not self._handshake_first:
                    client.sendall(INFO)
                with self._context.wrap_socket(client, server_side=True) as secure:
                    if self._handshake_first:
                        secure.sendall(INFO)
                    for line in secure.makefile("rb"):
                        if line == b"PING\r\n":
                            secure.sendall(b"PONG\r\n")
            except OSError:
                pass  # the host is gone, or does not like us
