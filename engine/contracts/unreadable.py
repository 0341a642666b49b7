"""What decoding JSON or MessagePack of others may raise."""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""It is none, not as it should be, no Unicode, or too much is inside of each other."""
