"""The SHA-256 of a recording, made beside the decoder: neither waits for the other, and an order waits for neither."""

from __future__ import annotations

import hashlib
import threading

from engine.contracts.recording import Recording
from engine.contracts.streams import InputFile


class InputHash:
    """Hashes a recording in a thread of its own, from when it is made until it is done or stopped.

    The decoder reads the same bytes at about the same time: the second to come finds them in the system's cache.

    Args:
        recording: whose files.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._stopped = threading.Event()
        self._done = threading.Event()
        self._result: InputFile | None = None
        threading.Thread(target=self._run, name="hash", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether it is done, or has failed."""
        return self._done.wait(seconds)

    def take(self) -> InputFile | None:
        """Return what was found, once; None before it is known, and where the files cannot be read."""
        result, self._result = self._result, None
        return result

    def stop(self) -> None:
        """Give up; returns at once."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            self._result = self._hash()
        except OSError:
            pass  # what cannot be read is the decoder's to report
        finally:
            self._done.set()

    def _hash(self) -> InputFile | None:
        digest, size_bytes = hashlib.sha256(), 0
        facts = self._recording.facts()  # before the first byte: what is written during the reading changes it
        for block in self._recording.blocks():
            if self._stopped.is_set():
                return None
            digest.update(block)
            size_bytes += len(block)
        return InputFile(
            self._recording.name, str(facts["path"]), size_bytes, digest.hexdigest(), int(facts.get("mtime_ns", 0))
        )
