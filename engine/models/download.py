"""Fetches a model: resumed where it broke off, checked by SHA-256, and put in place at once or not at all."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine.contracts.manifest import sha256_of
from engine.errors import DownloadError, UsageError
from engine.lock import try_lock
from engine.models.catalog import Downloadable

CHUNK_BYTES = 64 * 1024
TIMEOUT_SECONDS = 30.0

Progress = Callable[[int, int], None]
"""Called with (bytes held, bytes in all)."""


def installed_as(entry: Downloadable, folder: Path) -> Path | None:
    """Return the model's file in ``folder`` if it is there and is the right one."""
    path = folder / entry.file
    return path if path.is_file() and sha256_of(path) == entry.sha256 else None


def pull(entry: Downloadable, folder: Path, url: str | None = None, progress: Progress | None = None) -> Path:
    """Fetch a model into ``folder`` and return its path; a right file that is already there is left alone.

    The bytes go to ``FILE.part`` first. What a broken connection leaves there is continued by the next call if the server
    allows it; what does not have the expected SHA-256 is removed.

    Args:
        url: another place to fetch the same bytes from, http or https.
        progress: called after every chunk.

    Raises:
        UsageError: the URL is not http or https.
        ModelError: no connection, not enough bytes, the wrong bytes, or the folder cannot be written.
    """
    source = url or entry.url
    if not source.startswith(("https://", "http://")):
        raise UsageError(f"{source} cannot be fetched: give an http or https URL")
    target = folder / entry.file
    if installed_as(entry, folder):
        return target
    part = target.with_name(f"{target.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("ab+") as file:
            _lock(file, entry)
            _fill(file, entry, source, progress or (lambda held, total: None))
            _check(file, part, entry, source)
            part.replace(target)
    except OSError as error:
        raise DownloadError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def _lock(file: BinaryIO, entry: Downloadable) -> None:
    if not try_lock(file.fileno()):
        raise DownloadError(f"{entry.name} is being fetched by another process: wait for it")


def _fill(file: BinaryIO, entry: Downloadable, source: str, progress: Progress) -> None:
    """Bring ``file`` to the expected length."""
    held = file.seek(0, os.SEEK_END)
    if held >= entry.size_bytes:
        return
    headers = {"User-Agent": "facestream", "Accept-Encoding": "identity"} | ({"Range": f"bytes={held}-"} if held else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(source, headers=headers), timeout=TIMEOUT_SECONDS) as response:
            if held and not (response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {held}-")):
                file.truncate(0)
                held = 0
            # One byte more than expected is enough to know that the file is another one.
            while held <= entry.size_bytes and (chunk := response.read(min(CHUNK_BYTES, entry.size_bytes + 1 - held))):
                file.write(chunk)
                held += len(chunk)
                progress(held, entry.size_bytes)
    except urllib.error.HTTPError as error:
        reason = f"the server answered {error.code} {error.reason}"
        error.close()
        raise DownloadError(f"cannot fetch {entry.name} from {source}: {reason}; try another place with --url") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", "") or error or type(error).__name__)
        raise DownloadError(
            f"cannot fetch {entry.name} from {source}: {reason}; check the network, or give another place with --url"
        ) from error
    finally:
        file.flush()
    if held < entry.size_bytes:
        raise DownloadError(
            f"fetching {entry.name} broke off after {held} of {entry.size_bytes} bytes: run the same command again to go on"
        )


def _check(file: BinaryIO, part: Path, entry: Downloadable, source: str) -> None:
    file.flush()
    os.fsync(file.fileno())
    found = sha256_of(part)
    if found != entry.sha256:
        part.unlink()
        raise DownloadError(
            f"{source} is not {entry.name}: its SHA-256 is {found}, expected {entry.sha256}; nothing was installed"
        )
