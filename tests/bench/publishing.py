"""Messages per second of the publisher against bare pyzmq that sends the same bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import zmq

from engine.config import PublishConfig
from engine.contracts.envelope import Envelope, sealed
from engine.contracts.faces import FaceResult, Sighting
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime
from engine.contracts.messages import Part, encode_header, topic_of
from engine.publish.publisher import Publisher

MESSAGES = 20_000
_PAYLOADS = [bytes(6_000), bytes(3_000), bytes(512)]


def compare_publishing(rounds: int = 5) -> dict[str, float]:
    """Return the median rates and their ratio; the two take turns, each with one reader that drains a push socket."""
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(_rate(_bare_sender))
        ours.append(_rate(_our_sender))
    ours.sort()
    bare.sort()
    middle = rounds // 2
    return {"facestream": ours[middle], "bare pyzmq": bare[middle], "ratio": ours[middle] / bare[middle]}


def _result() -> FaceResult:
    parts = [
        Part(name, codec, shape, dtype, "0" * 64)
        for name, codec, shape, dtype in (
            ("enhanced", "jpeg", (128, 128, 3), "uint8"),
            ("original", "jpeg", (32, 32, 3), "uint8"),
            ("embedding", "raw", (128,), "float32"),
        )
    ]
    seen = Sighting(
        "cam1", 7, FrameTime(1, 1, (1, 90_000), 0.1, 1), (1.0, 2.0, 3.0, 4.0), [(1.0, 2.0)] * 5, 0.9,
        Quality(32.0, 0.5, 0.5, 0.5), (0, 0, 32, 32), False,
    )  # fmt: skip
    return FaceResult(seen, None, "none", [], 1, parts)


def _our_sender(context: zmq.Context, endpoint: str) -> tuple[Callable[[], None], Callable[[], None]]:
    publisher = Publisher(PublishConfig(endpoint=endpoint, socket="push"), "bench", context)
    result = _result()
    return lambda: publisher.send(result, _PAYLOADS) and None, lambda: publisher.close(1000)


def _bare_sender(context: zmq.Context, endpoint: str) -> tuple[Callable[[], None], Callable[[], None]]:
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.SNDHWM, PublishConfig().send_hwm)
    socket.setsockopt(zmq.SNDBUF, PublishConfig().send_buffer_bytes)
    socket.bind(endpoint)
    message = sealed(_result(), Envelope("bench", 0, 1))
    frames = [topic_of(message).encode(), encode_header(message), *_PAYLOADS]
    return lambda: socket.send_multipart(frames), lambda: socket.close(1000)


def _rate(make_sender: Callable) -> float:
    context, endpoint = zmq.Context(), "tcp://127.0.0.1:18765"
    send, close = make_sender(context, endpoint)
    reader = threading.Thread(target=_drain, args=(endpoint,))
    reader.start()
    start = time.perf_counter()
    for _ in range(MESSAGES):
        send()
    reader.join()
    seconds = time.perf_counter() - start
    close()
    context.term()
    return MESSAGES / seconds


def _drain(endpoint: str) -> None:
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.connect(endpoint)
        for _ in range(MESSAGES):
            socket.recv_multipart(copy=False)
