"""What a recogniser downstream imports, and what reads a run's output directory; light: zmq, msgspec and numpy (OpenCV only
when a picture is decoded)."""

from engine.client.received import Gap, Received
from engine.client.results import Run, Vectors, load_run
from engine.client.subscriber import Subscriber
from engine.client.unpacking import unpack
from engine.contracts.findings import Candidate, Enhanced, Quality
from engine.contracts.messages import AnyMessage, End, Face, Part, Stats, Stream, Track

__all__ = [
    "AnyMessage", "Candidate", "End", "Enhanced", "Face", "Gap", "Part", "Quality", "Received", "Run", "Stats", "Stream",
    "Subscriber", "Track", "Vectors", "load_run", "unpack",
]  # fmt: skip
