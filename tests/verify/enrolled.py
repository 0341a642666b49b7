"""People in a gallery, and their faces in a stream."""

from itertools import count

import msgspec

from engine.pictures.colour import bgr_from_planes
from tests.verify.faces import crop_of, portrait

_SECONDS = count()


def enrol(gallery, embedder, name, person, embedder_sha256=None):
    image, landmarks = portrait(*person)
    gallery.add(
        name, embedder.embed([image], [landmarks])[0], embedder=embedder.name,
        embedder_sha256=embedder_sha256 or embedder.sha256, runtime="", source_name="", picture_sha256=name, quality=1,
    )  # fmt: skip


def face(person, track_id=1, size_px=60.0, weight=0.5, stream="cam1"):
    """Each is seen a second after the one before: at another moment."""
    crop = crop_of(*portrait(*person, size_px), track_id, weight, size_px, stream)
    return msgspec.structs.replace(crop, time=msgspec.structs.replace(crop.time, pts_seconds=float(next(_SECONDS))))


def score(verifier, crops, enhanced=None):
    return verifier.score(crops, [bgr_from_planes(crop.planes) for crop in crops], enhanced or [None] * len(crops))
