"""What the files of pictures are called, by the codec they are made with."""

from __future__ import annotations

MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png"}
SUFFIXES = {"jpeg": ".jpg", "png": ".png", "raw": ".raw"}
MEDIA_TYPE_OF_SUFFIX = {SUFFIXES[codec]: media_type for codec, media_type in MEDIA_TYPES.items()}
"""Of those that a page can show."""
