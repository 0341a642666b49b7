"""A socket that says what a test wants, in the name of a publisher."""

import time
from contextlib import contextmanager

import zmq

from engine.client import Face, Gap, Subscriber
from engine.contracts.messages import encode_header, topic_of
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import as_sent, end, face


class Wire:
    """A PUSH or XPUB socket that says what it is told to, in the name of ``run1``."""

    def __init__(self, opened, kind=zmq.PUSH, endpoint="tcp://127.0.0.1:*"):
        self.socket = opened.socket(kind)
        self.socket.setsockopt(zmq.IPV6, "[" in endpoint)
        self.socket.bind(endpoint)
        self.endpoint = self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def close(self):
        self.socket.close()

    def say(self, body, seq, payloads=(), run_id="run1", **fields):
        message = as_sent(body, seq, run_id, **fields)
        self.socket.send_multipart([topic_of(message).encode(), encode_header(message), *payloads])

    def face(self, seq, stream="cam1", run_id="run1", age_seconds=0.0, live=False):
        message, payloads = face(stream)
        sent_ns = time.time_ns() - int(age_seconds * 1e9)
        self.say(message, seq, payloads, run_id, sent_ns=sent_ns, live=live)

    def end(self, run_id="run1", **last_seq):
        self.say(end(), 0, run_id=run_id, last_seq=last_seq)

    def subscriber(self, **options):
        return Subscriber(self.endpoint, socket="pull", **({"timeout_seconds": PATIENCE_SECONDS} | options))


@contextmanager
def subscribed(opened, **options):
    """Yield an XPUB wire and a subscriber that is connected to it."""
    wire = Wire(opened, zmq.XPUB)
    try:
        with Subscriber(
            wire.endpoint, **({"timeout_seconds": PATIENCE_SECONDS, "kinds": ("face", "track", "end")} | options)
        ) as subscriber:
            for _ in range(3):
                assert wire.socket.poll(1000 * PATIENCE_SECONDS)
                wire.socket.recv()
            yield wire, subscriber
    finally:
        wire.socket.close()


def seen(subscriber):
    """Return faces as numbers, gaps as pairs, others as their kind."""
    found = []
    for item in subscriber:
        if isinstance(item, Gap):
            found.append((item.first_seq, item.last_seq))
        else:
            found.append(item.message.seq if isinstance(item.message, Face) else type(item.message).__name__)
    return found
