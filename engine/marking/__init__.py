"""What tells enhanced pictures from others, for machines: XMP, a mark in the pixels, and C2PA where there is a key.

Functions of arrays and bytes, without a process. ``docs/marking.md`` says what each mark proves.
"""

from engine.marking.containers import kind_of
from engine.marking.credentials import Credentials, load_credentials
from engine.marking.found import Marks, enhanced_before, marks_of
from engine.marking.imperceptible import THRESHOLD, Sought, find_mark, put_mark
from engine.marking.metadata import Declared, declare, declared_in, sentence, source_type
from engine.marking.provenance import Provenance, provenance_of, sign_picture

__all__ = [
    "THRESHOLD", "Credentials", "Declared", "Marks", "Provenance", "Sought", "declare", "declared_in", "enhanced_before",
    "find_mark", "kind_of", "load_credentials", "marks_of", "provenance_of", "put_mark", "sentence", "sign_picture",
    "source_type",
]  # fmt: skip
