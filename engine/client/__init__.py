"""What a recogniser downstream imports, and what reads a run's output directory; light: zmq, msgspec and numpy (OpenCV only
when a picture is decoded)."""

from engine.archive.reader import FaceLine, TrackLine, VectorRow
from engine.client.limits import Limits
from engine.client.received import Gap, Malformed, Received
from engine.client.results import Run, Vectors, load_run
from engine.client.sequence import Position
from engine.client.subscriber import Subscriber
from engine.client.unpacking import unpack
from engine.contracts.findings import Basis, Candidate, Enhanced, Quality
from engine.contracts.gallery import GalleryVersion
from engine.contracts.messages import AnyMessage, End, Face, Part, StageStats, Stats, Stream, Track
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.errors import ConfigError, FacestreamError, FatalError, PublisherGoneError, PublishError

__all__ = [
    "AnyMessage", "Basis", "Candidate", "ConfigError", "End", "Enhanced", "Face", "FaceLine", "FacestreamError", "FatalError",
    "FusedFrame", "GalleryVersion", "Gap", "Limits", "Malformed", "Part", "Position", "PublishError", "PublisherGoneError",
    "Quality", "Received", "Run", "StageStats", "Stats", "Stream", "Subscriber", "Track", "TrackLine", "TrackPicture",
    "VectorRow", "Vectors", "load_run", "unpack",
]  # fmt: skip
