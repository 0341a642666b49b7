"""Where things are found under HTTP: for those who write an address and for those who answer it."""

from __future__ import annotations

API = "/api/v1"


def face_picture(run: str, stream: str, track_id: int, seq: int, part: str) -> tuple[str, str]:
    """Return the name of a picture of a face or a track, and its address; ``seq`` is that of its message."""
    name = f"{run}~{stream}~{track_id}~{seq}~{part}"
    return name, f"{API}/pictures/{name}"


def stream_picture(stream: str, of_ns: int) -> str:
    """Return the address of what a stream shows now; ``of_ns`` lets a browser ask again."""
    return f"{API}/streams/{stream}/picture?of={of_ns}"
