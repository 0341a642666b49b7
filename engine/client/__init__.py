"""What a downstream recogniser imports; light: zmq, msgspec and numpy (OpenCV only when a picture is decoded)."""

from engine.client.received import Gap, Received
from engine.client.subscriber import Subscriber
from engine.contracts.findings import Candidate, Enhanced, Quality
from engine.contracts.messages import AnyMessage, End, Face, Part, Stats, Stream, Track

__all__ = [
    "AnyMessage", "Candidate", "End", "Enhanced", "Face", "Gap", "Part", "Quality", "Received", "Stats", "Stream", "Subscriber",
    "Track",
]  # fmt: skip
