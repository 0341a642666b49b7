"""What a downstream recogniser imports; light: zmq, msgspec and numpy (OpenCV only when a picture is decoded)."""

from engine.client.received import Gap, Received
from engine.client.subscriber import Subscriber
from engine.contracts.messages import AnyMessage, Candidate, End, Enhanced, Face, Part, Quality, Stats, Stream, Track

__all__ = [
    "AnyMessage", "Candidate", "End", "Enhanced", "Face", "Gap", "Part", "Quality", "Received", "Stats", "Stream", "Subscriber",
    "Track",
]  # fmt: skip
