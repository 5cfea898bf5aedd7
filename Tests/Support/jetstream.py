"""As much of JetStream's API as a test needs: a stream is made, counted and read."""

import base64
import json
import time

from nats import NATSError


class Stream:
    """A stream by its name, and the domain it is in when that is not the client's own; the server does
    the rest."""

    def __init__(self, client, name, domain=None):
        self._client = client
        self._api = f"$JS.{domain}.API" if domain else "$JS.API"
        self.name = name

    def create(self, subjects, **limits):
        self._configure("CREATE", subjects, limits)

    def update(self, subjects, **limits):
        self._configure("UPDATE", subjects, limits)

    def delete(self):
        self._call("DELETE", {})

    @property
    def state(self):
        return self._call("INFO", {})["state"]

    def message(self, sequence):
        """Subject and JSON body of a stored message."""
        stored = self._call("MSG.GET", {"seq": sequence})["message"]
        return stored["subject"], json.loads(base64.b64decode(stored.get("data", "")))

    def bodies(self):
        """The JSON bodies of all stored messages, oldest first."""
        state = self.state
        if state["messages"] == 0:
            return []
        return [self.message(sequence)[1]
                for sequence in range(state["first_seq"], state["last_seq"] + 1)]

    def messages(self):
        """All stored messages, oldest first, as the stream delivers them."""
        inbox = self._client.subscribe(f"_INBOX.{self.name}.{time.monotonic_ns()}")
        count = self.state["messages"]
        self._client.request(f"{self._api}.CONSUMER.CREATE.{self.name}", {
            "stream_name": self.name,
            "config": {"deliver_subject": inbox.subject, "deliver_policy": "all", "ack_policy": "none",
                       "replay_policy": "instant", "inactive_threshold": 5_000_000_000}})
        messages = inbox.take(count) if count else []
        inbox.cancel()
        return messages

    def _configure(self, operation, subjects, limits):
        self._call(operation, {"name": self.name, "subjects": subjects, "storage": "file",
                               "retention": "limits", "num_replicas": 1, **limits})

    def _call(self, operation, request):
        answer = self._client.request(f"{self._api}.STREAM.{operation}.{self.name}", request).json()
        if "error" in answer:
            raise NATSError(f"{operation} {self.name}: {answer['error']}")
        return answer
