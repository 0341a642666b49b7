"""A job over an archive, from what is asked for to a result: started, gone on with, looked at, tried again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

import engine
from engine.archive.same_job import check_same_settings
from engine.config import Config
from engine.contracts.stored import is_stored
from engine.errors import PublishError, UsageError
from engine.jobs.archive_work import ArchiveWork
from engine.jobs.attempts import judge
from engine.jobs.cluster import LOCAL, connected
from engine.jobs.driver import Driver, read_standing
from engine.jobs.job_file import LONGEST_COMMAND, JobFile, going_on, read_job
from engine.jobs.job_folder import GALLERY, JOB, JobFolder
from engine.jobs.joining import join
from engine.jobs.models_named import models_named
from engine.jobs.pieces import Piece, read_piece
from engine.jobs.places import JobAt, begin_at, found_at
from engine.jobs.ray_workers import RayWorkers
from engine.jobs.recordings import recordings_of
from engine.jobs.standing import Bad, Standing
from engine.lock import DirectoryLock
from engine.pipeline.preflight import check_before
from engine.pipeline.signals import CountedSignals
from engine.verify.gallery.opening import gallery_file, gallery_to_follow, key_of
from engine.verify.gallery.sqlite.backup import back_up
from engine.verify.gallery.sqlite.epoch import beside

SEGMENT_SECONDS = 300.0


@dataclass(frozen=True)
class Asked:
    """What somebody wants."""

    uris: list[str]
    out: JobAt
    config: Config
    address: str = LOCAL
    workers: int | None = None
    overwrite: bool = False
    segment_seconds: float = SEGMENT_SECONDS
    config_file: Path | None = None
    """Of which ``config`` was read."""

    @property
    def command(self) -> str:
        """The command line that continues it, from any folder; empty: too long to be told."""
        words = [one if "://" in one or is_stored(one) else os.path.abspath(os.path.expanduser(one)) for one in self.uris]
        words += ["--config", os.path.abspath(self.config_file)] if self.config_file else []
        words += ["--address", self.address] if self.address != LOCAL else []
        words += ["--workers", str(self.workers)] if self.workers else []
        words += ["--segment-seconds", str(self.segment_seconds)] if self.segment_seconds != SEGMENT_SECONDS else []
        command = self.out.command("submit", *words)
        return command if len(command) <= LONGEST_COMMAND else ""


@dataclass(frozen=True)
class Over:
    """What it has come to."""

    standing: Standing
    report: Path | None = None

    @property
    def exit_code(self) -> int:
        """0 where all recordings are done."""
        return int(self.standing.phase != "done" or bool(self.standing.bad))


def submit_job(asked: Asked, show: Callable[[Standing], None], note: Callable[[str], None]) -> Over:
    """Do a job, or go on with it, to its end or until somebody asks to stop.

    Args:
        asked: what is wanted.
        show: takes how it stands, each second.
        note: takes what is unwise, or wrong with a node.

    Raises:
        FacestreamError: it cannot begin, or cannot go on; what was done stays.
    """
    config = replace(asked.config, sources=[])
    recordings = recordings_of(asked.uris, asked.config, note, asked.out.endpoint)
    output = replace(config.output, directory="", overwrite=False, resume=False)
    unpublished = replace(config.publish, endpoint="", replay="")  # as no endpoint is opened, one may be in use
    check_before(replace(config, output=output, publish=unpublished), note, is_service=True)
    place = begin_at(asked.out, overwrite=asked.overwrite)
    folder = place.folder
    folder.make()
    with closing(DirectoryLock(folder.directory)):
        models = models_named(config)
        job = JobFile(
            {"facestream": engine.__version__},
            msgspec.to_builtins(config),
            models,
            asked.segment_seconds,
            [one.name for one in recordings],
            asked.command,
        )
        folder.prepare()
        seconds = _begin(folder, job, asked)
        config = _with_gallery(config, folder)
        work = ArchiveWork(recordings, msgspec.to_builtins(config), models, seconds)

        def make_whole(bad: list[Bad]) -> None:
            output = replace(config.output, directory=str(place.result), overwrite=True, resume=False)
            join(place.result, replace(config, output=output), work.parts({one.recording: one.reason for one in bad}))
            folder.publish(place.result)

        with (
            connected(asked.address, asked.workers),
            CountedSignals() as signals,  # Ray has taken one of them over
            closing(RayWorkers(folder, asked.workers, note)) as workers,
        ):
            standing = Driver(folder, work, workers, lambda: signals.count, show, make_whole).drive()
        report = place.result / "report.html"
        return Over(standing, report if standing.phase == "done" and report.exists() else None)


def _with_gallery(config: Config, folder: JobFolder) -> Config:
    """Return the settings with a copy of the gallery that all nodes see, made once: each has one of its own by default, and
    who is enrolled meanwhile would be known in a part of the archive."""
    place = config.verify.gallery_place
    source = gallery_file(place)
    if config.verify.embedder == "none" or source is None:
        return config
    copy, made = folder.directory / GALLERY, folder.unfinished / GALLERY
    if not copy.exists():
        gallery_to_follow(place)  # it is there now
        back_up(source, made, key_of(place))
        for one in (beside(made), made):  # with the first each machine's copy is the same gallery, by its epoch
            if one.exists():
                folder.share(one.name, one)
    key = config.verify.gallery_key_file  # absolute, as a node's workers need not be where the command was given
    key = key and os.path.abspath(os.path.expanduser(key))
    return replace(config, verify=replace(config.verify, gallery=str(copy), gallery_key_file=key))


def _begin(folder: JobFolder, job: JobFile, asked: Asked) -> float:
    """Compare a job with the one that its directory holds; return how long its segments are."""
    folder.bring(JOB)
    path = folder.directory / JOB
    if asked.overwrite:
        shutil.rmtree(folder.directory, ignore_errors=True)
        folder.make()
    elif (earlier := read_job(path)) is not None:
        check_same_settings(asked.out.where, msgspec.to_builtins(earlier), msgspec.to_builtins(job))
        job = replace(job, segment_seconds=earlier.segment_seconds)
    folder.write(JOB, job)
    return job.segment_seconds


@dataclass(frozen=True)
class Stood:
    """How a job stood last."""

    standing: Standing
    is_driven: bool
    """Whether somebody works on it now."""
    going_on: str
    """For a sentence: the command that continues it."""


def standing_of(out: JobAt) -> Stood:
    """Return how a job stood last.

    Raises:
        UsageError: there is no job.
    """
    folder = found_at(out).folder
    goes_on = going_on(read_job(folder.directory / JOB))
    if (standing := read_standing(folder)) is None:
        raise UsageError(f"nothing has been processed in {out.where} yet: {goes_on} continues it")
    return Stood(standing, _is_driven(folder), goes_on)


def _is_driven(folder: JobFolder) -> bool:
    try:
        DirectoryLock(folder.directory, 0.0).close()
    except PublishError:
        return True
    return False


def retry_job(out: JobAt) -> list[str]:
    """Let what failed, or was set aside, be tried again; return the recordings.

    Raises:
        UsageError: there is no job.
        PublishError: somebody works on it now.
    """
    folder = found_at(out).folder
    with closing(DirectoryLock(folder.directory)):
        tried = folder.read_attempts()
        again = {key: one.recording for key, one in tried.items() if judge(one.attempts).fate != "again"}
        failed = {key: piece.stream for key in folder.done() if (piece := _failed(folder.result(key))) is not None}
        for key in again:
            folder.forget_attempts(key)
        for key in failed:
            folder.discard(key)
    return sorted({*again.values(), *failed.values()})


def _failed(result: Path) -> Piece | None:
    """Return what became of a segment, if its recording could not be read, or not to its end."""
    piece = read_piece(result)
    return piece if piece is not None and piece.end is not None and piece.end.state == "failed" else None
