"""Every error that facestream raises on purpose.

    FacestreamError                 exit code 1
    ├── UsageError                  exit code 2: the command line is wrong
    │   └── ConfigError             a configuration key or value is wrong (file, path of the key, allowed values)
    ├── RecoverableError            one stream or one item fails, the others go on
    │   ├── SourceError             a source cannot be opened or read; carries a reason code
    │   │   └── MissingObjectError      there is no such object in object storage
    │   ├── PictureError            a still picture cannot be read; says which and why
    │   ├── EnrolmentRefused        a picture cannot be enrolled; says which and why
    │   ├── LinkError               a message broker cannot be reached, or refuses; what is for it waits
    │   └── InferenceError          an open model failed on what it was given; the next may work
    │       └── DeviceMemoryError   the device has no memory for so large a batch; a smaller one may work
    └── FatalError                  the run cannot go on
        ├── ModelError              a model cannot be opened: file or manifest is missing, corrupt or of the wrong kind
        ├── MissingRuntimeError     an optional package is not installed; says how to install it
        ├── GalleryError            the gallery cannot be opened, read or written
        │   └── MissingGalleryError     there is no such gallery yet
        ├── DatabaseError           a database that machines share does not answer, or refuses
        ├── StorageError            object storage refuses: there is no such bucket, the credentials are wrong
        │   └── StorageDeniedError      these credentials lack the right to do that
        ├── PublishError            an endpoint cannot be bound, or an output cannot be written
        │   ├── MissingResultError  there is no output directory of a run
        │   └── OutputError         the output directory cannot be written now, as on a full disk; what was written stays valid
        ├── PublisherGoneError      the publisher that a subscriber reads from is gone, and has not said that its run is over
        ├── AuditError              the audit log cannot be read or written
        └── WorkerError             a worker process died, hung or refused to start; another one may do
            ├── StorageAwayError    object storage does not answer now
            └── DeviceLostError     the device that computes is gone, for this process

A message says what failed, where, and what to do, in one sentence: the command line prints it as it is.
"""

from __future__ import annotations

import os
import traceback

from engine.words.text import readable


class FacestreamError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what the command returns."""

    exit_code = 1


class UsageError(FacestreamError):
    """The command line cannot be carried out as it was given."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key or value is wrong."""

    keys: tuple[str | int, ...] = ()
    """The path of what is wrong, as ``("sources", 1, "name")``; empty where the message says it."""


class RecoverableError(FacestreamError):
    """One stream or one item fails; the run goes on."""


class SourceError(RecoverableError):
    """A source cannot be opened or read.

    ``reason`` is one of ``engine.contracts.messages.Reason``.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MissingObjectError(SourceError):
    """There is no such object in object storage."""


class PictureError(RecoverableError):
    """A file is not a still picture that can be read."""


class EnrolmentRefused(RecoverableError):
    """A picture does not qualify for the gallery."""


class LinkError(RecoverableError):
    """A message broker cannot be reached now, or refuses."""


class InferenceError(RecoverableError):
    """An open model failed on what it was given."""


class DeviceMemoryError(InferenceError):
    """The device has no memory for so large a batch."""


class FatalError(FacestreamError):
    """The run cannot go on."""


class ModelError(FatalError):
    """A model that was named cannot be opened: its file or manifest is missing, corrupt or of the wrong kind."""

    exit_code = 2


class DownloadError(ModelError):
    """A model cannot be fetched now."""

    exit_code = 1


class MissingRuntimeError(FatalError):
    """An optional package is not installed."""


class GalleryError(FatalError):
    """The gallery cannot be opened, read or written."""


class MissingGalleryError(GalleryError):
    """There is no such gallery yet."""

    exit_code = 2


class OlderGalleryError(GalleryError):
    """Its tables are of an earlier version, which whoever changes it brings forward."""


class GalleryRefusal(GalleryError):
    """The gallery could do it, and something in it speaks against it."""


class NameTakenError(GalleryRefusal):
    """Somebody else has the name that a person was to have."""

    exit_code = 2


class DatabaseError(FatalError):
    """A database that several machines share does not answer, or refuses."""


class StorageError(FatalError):
    """Object storage refuses: there is no such bucket, or it may not be used."""


class StorageDeniedError(StorageError):
    """These credentials lack the right to do that in object storage."""


class PublishError(FatalError):
    """An endpoint cannot be bound, or an output cannot be written."""


class OutputError(PublishError):
    """The output directory cannot be written now."""


class MissingResultError(PublishError):
    """There is no output directory of a run where one was named."""

    exit_code = 2


class PublisherGoneError(FatalError):
    """The publisher that a subscriber reads from is gone, and has not said that its run is over."""


class AuditError(FatalError):
    """The audit log cannot be read or written."""


class WorkerError(FatalError):
    """A worker process died, hung or refused to start."""


class StorageAwayError(WorkerError):
    """Object storage does not answer now: later, or from another machine, it may."""


class DeviceLostError(WorkerError):
    """The device that computes is gone, for this process: only another one may find it again."""


def error_words(error: Exception) -> str:
    """Return an error for a person: one of ours as it is, an unexpected one with the place where it happened."""
    words = str(error)
    if not isinstance(error, FacestreamError):
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
        words = ": ".join(filter(None, (type(error).__name__, words))) + place
        if os.environ.get("FACESTREAM_TRACEBACK"):
            words = "".join(traceback.format_exception(error))
    return readable(words)
