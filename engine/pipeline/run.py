"""One run from configuration to result: starts the workers, connects them, and sums up what they did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from engine.archive.reader import recorded
from engine.archive.resume import Resume, plan_resume
from engine.archive.same_job import describe_inputs
from engine.config import Config
from engine.contracts.camera import Camera
from engine.contracts.messages import Reason
from engine.contracts.orders import Assign
from engine.contracts.recording import Recording, sent
from engine.contracts.streams import StreamChanged
from engine.contracts.tap import Tap
from engine.errors import ConfigError, FacestreamError, WorkerError
from engine.pipeline.control import RunControl
from engine.pipeline.crew import Crew
from engine.pipeline.description import describe_run
from engine.pipeline.preflight import check_before, check_untaken
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.pipeline.supervisor import Supervisor
from engine.source.sources import expand_sources, tell_of_repeats


@dataclass(frozen=True)
class RunResult:
    """What a run did."""

    run_id: str
    outcome: str
    """``completed`` or ``drained``."""
    seconds: float
    """From all workers ready to the last message."""
    counters: dict[str, int]
    """``Counts.totals`` of the run; those of a stream are in ``streams``."""
    streams: list[StreamStatus]
    status: RunStatus
    report: Path | None
    cameras: frozenset[str] = frozenset()
    """Names of the streams that are cameras."""
    problem: str = ""
    """Why there is no report, where one was wanted."""
    interrupted: frozenset[str] = frozenset()
    """Of the streams that failed, those whose reader was killed from outside: reading them again may do."""

    @property
    def failed_streams(self) -> list[StreamStatus]:
        return [stream for stream in self.streams if stream.state == "failed"]

    @property
    def never_live(self) -> list[StreamStatus]:
        """Cameras that never gave a picture."""
        return [stream for stream in self.streams if stream.name in self.cameras and not stream.was_live]

    @property
    def unwritten(self) -> int:
        """Messages that could not be written into the output directory."""
        return self.counters.get("unwritten", 0)

    @property
    def exit_code(self) -> int:
        """0 where the run did what was asked for; 1 where a stream failed, no camera ever gave a picture, or something could
        not be written."""
        saw_none = bool(self.cameras) and len(self.never_live) == len(self.cameras)
        return int(bool(self.failed_streams or saw_none or self.unwritten or self.problem))


@dataclass(frozen=True)
class ServiceRun:
    """One run of a service: it goes on while there is no camera, until it is told to end, and its results may go nowhere."""

    run_id: str
    cameras: Sequence[Camera]
    """At its begin."""
    tap: Tap | None = None
    """Where the service listens, and gets pictures of what is looked at; None: nowhere."""


def run_pipeline(
    config: Config,
    observer: Callable[[RunStatus], None] = lambda status: None,
    duration_seconds: float | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
    control: RunControl | None = None,
    service: ServiceRun | None = None,
) -> RunResult:
    """Process all sources of a configuration.

    A recording whose reader crashes or hangs fails alone. A run over recordings with an output directory survives the death of
    any other worker: it goes on where it was, as with ``output.resume``; so does, once all others are done, a recording whose
    reader was killed from outside. A run with cameras replaces the worker.

    Args:
        config: what to do; ``sources`` must not be empty.
        observer: called several times a second with a copy of the run's status, in a thread of its own: it may block.
        warn: called with a sentence on what is unwise but not wrong.
        duration_seconds: end the run, in good order, after this time; None: when the recordings end, or a signal comes.
        control: adds and removes cameras of a run that has one, from any thread, and ends it.
        service: given: it reads the cameras of a service, and what is in ``config`` says only what these are.

    Raises:
        ConfigError: nothing to read; and see ``check_before``, also for others.
        FacestreamError: a worker failed; outputs written before that stay valid.
        KeyboardInterrupt: two signals came.
    """
    sources = expand_sources(config.sources, config.live, warn) if service is None else service.cameras
    if not sources and service is None:
        raise ConfigError(
            "there is nothing to read: give at least one source (--source FILE, or `sources:` in the configuration)"
        )
    tell_of_repeats(sources, warn)
    check_before(config, warn, is_service=service is not None)
    is_live = service is not None or any(isinstance(source, Camera) for source in sources)
    resumable = bool(config.output.directory) and not is_live
    restarts = config.supervise.restarts_per_minute if resumable else 0
    read_again: set[str] = set()
    same_run = False
    while True:
        run = describe_run(config, service.run_id if service else "")
        try:
            result = _attempt(config, run, sources, observer, duration_seconds, control, service, same_run=same_run)
        except WorkerError as error:
            if restarts == 0:
                raise
            restarts -= 1
            warn(f"{error}; the run {'goes on where it was' if _has_begun(config, run) else 'begins again'}")
        else:
            if not resumable or result.interrupted <= read_again:
                return result
            read_again |= result.interrupted
        if _has_begun(config, run):
            same_run = True
            config = replace(config, output=replace(config.output, resume=True, overwrite=False))
        elif resumable:  # another run may have begun there since it was looked at
            check_untaken(config)


def _attempt(
    config: Config,
    about: dict[str, Any],
    sources: Sequence[Recording | Camera],
    observer: Callable[[RunStatus], None],
    duration_seconds: float | None,
    control: RunControl | None = None,
    service: ServiceRun | None = None,
    *,
    same_run: bool = False,
) -> RunResult:
    """Run once; ``same_run``: what is in the output directory is an earlier attempt of this run."""
    recordings = [source for source in sources if isinstance(source, Recording)]
    cameras = [source for source in sources if isinstance(source, Camera)]
    files = {recording.name: recording for recording in recordings}
    run = about | {"inputs": describe_inputs(files)}
    resume = None
    if config.output.resume:
        resume = plan_resume(Path(config.output.directory), run, files, same_run=same_run)
    status = RunStatus({source.name: StreamStatus(source.name) for source in sources}, run_id=str(run["run_id"]))
    for event in resume.done.values() if resume else ():
        status.take_event(StreamChanged(event.stream, event.state, cast("Reason", event.reason), event.detail))
    orders = _orders(recordings, resume)
    crew = Crew(
        config,
        run,
        cameras,
        min(config.decode.parallel_files, len(orders)),
        resume,
        goes_on=service is not None,
        tap=service.tap if service else None,
    )
    supervisor = Supervisor(crew, orders, config.supervise, status, observer, duration_seconds, control)
    try:
        supervisor.run()
    except BaseException:
        with suppress(FacestreamError, OSError):  # what went wrong first is what the user must know
            _report(config, run)
        raise
    report, problem = None, ""
    try:
        report = _report(config, run)
    except (FacestreamError, OSError) as error:  # as on a full disk: all else is there
        problem = str(error)
    outcome = "drained" if supervisor.was_drained else "completed"
    return RunResult(
        run_id=str(run["run_id"]),
        outcome=outcome,
        seconds=status.seconds,
        counters=status.counters,
        streams=list(status.streams.values()),
        status=status,
        report=report,
        cameras=frozenset(camera.name for camera in cameras),
        problem=problem,
        interrupted=frozenset(supervisor.interrupted),
    )


def _orders(recordings: Sequence[Recording], resume: Resume | None) -> list[Assign]:
    """Return what is left to read."""
    done = resume.done if resume else {}
    first = resume.first_frames if resume else {}
    return [Assign(sent(recording), first.get(recording.name, 0)) for recording in recordings if recording.name not in done]


def _has_begun(config: Config, run: dict[str, Any]) -> bool:
    """Whether the output directory is this run's: publish has claimed it."""
    return bool(config.output.directory) and recorded(Path(config.output.directory)).get("run_id") == run["run_id"]


def _report(config: Config, run: dict[str, Any]) -> Path | None:
    """Write the report from what this run has put into the output directory."""
    if not config.output.report or not _has_begun(config, run):
        return None
    from engine.report.page import write_report  # loads what looks at pictures, which a run does not need to begin

    directory = Path(config.output.directory)
    if not (directory / "faces.jsonl").exists():
        return None
    return write_report(directory, config.output.report_tracks, video=config.output.report_video)
