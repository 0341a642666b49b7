"""How an error is reported: one sentence, without credentials, and an exit code."""

from __future__ import annotations

import errno

from engine.errors import FacestreamError
from engine.runtime.descriptors import shortage
from engine.words.redaction import redact

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def complaint(error: Exception) -> tuple[str, int]:
    """Return what to say of an error that ends a command, and the command's exit code."""
    if isinstance(error, FacestreamError):
        return redact(str(error)), error.exit_code
    if words := shortage(error):
        return f"this process cannot go on: {words}", 1
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return redact(
            f"{error.filename or 'what is printed, or kept meanwhile,'} cannot be written: {error.strerror}: make room"
        ), 1
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return redact(f"{error.filename or 'a path'}: {error.strerror}: check the path"), 2
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # of pathlib, for any path that is given
        return "there is no home directory behind a path that begins with ~: write the path out", 2
    # What libraries write may quote the address of a camera.
    sentence = redact(f"unexpected {type(error).__name__}: {error}")
    return f"{sentence} (set FACESTREAM_TRACEBACK=1 to see where)", 1
