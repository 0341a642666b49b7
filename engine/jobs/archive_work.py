"""An archive as a job: each recording is planned, its segments are processed, and more of them until they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.archive.record import of_each_role
from engine.contracts.recording import Recording, Sent, sent
from engine.errors import PublishError
from engine.jobs.joining import Part
from engine.jobs.joins import Chain, Done, chain_of
from engine.jobs.orders import Tree, plan_task, read_plan, segment_task
from engine.jobs.pieces import Piece
from engine.jobs.plan import Plan, read_done
from engine.jobs.scan import Scan
from engine.jobs.segments import WHOLE, Segment
from engine.jobs.task import Task


@dataclass
class _Recording:
    """What is known of one."""

    recording: Recording
    sent: Sent
    size_bytes: int
    plan: Plan | None = None
    chain: Chain | None = None
    done: dict[Segment, Done] = field(default_factory=dict)
    directories: list[Path] = field(default_factory=list)
    failed: str = ""


class ArchiveWork:
    """See ``engine.jobs.driver.Work``.

    Args:
        recordings: of the archive.
        config: the settings that change results.
        models: SHA-256 of each, by role.
        seconds: that a segment should have.
    """

    def __init__(self, recordings: Sequence[Recording], config: Tree, models: Mapping[str, str], seconds: float) -> None:
        self._config, self._models, self._seconds = config, models, seconds
        self._all = {one.name: _Recording(one, sent(one), int(one.facts().get("size_bytes", 0))) for one in recordings}
        self.recordings = len(self._all)

    def first(self) -> list[Task]:
        return [plan_task(one.recording, self._config, self._seconds) for one in self._all.values()]

    def after(self, task: Task, result: Path) -> list[Task]:
        known = self._all[task.recording]
        if task.first:
            known.plan = read_plan(result)
            return [self._task(known, segment) for segment in known.plan.segments]
        if known.plan is None or (read := read_done(result)) is None:
            raise PublishError(f"{result} is incomplete: remove it to process it again")
        piece, known.done[read[0].segment] = read
        self._check_models(piece, result)
        known.directories.append(result)
        if piece.end is not None and piece.end.state == "failed":
            known.failed = piece.end.detail or piece.end.reason
        known.chain = chain_of(known.plan.segments, known.done, known.plan.scan.keys)
        if known.chain.is_whole:
            known.done.clear()  # of thousands of hours they would fill the memory
        return [self._task(known, segment) for segment in known.chain.todo]

    def is_done(self, recording: str) -> bool:
        known = self._all[recording]
        return known.chain is not None and known.chain.is_whole and not known.failed

    @property
    def failed(self) -> dict[str, str]:
        return {name: known.failed for name, known in self._all.items() if known.failed}

    def unplanned(self) -> tuple[float, float]:
        planned = [known for known in self._all.values() if known.plan is not None]
        size = sum(known.size_bytes for known in planned)
        seconds = sum(known.plan.scan.seconds for known in planned if known.plan)
        left = sum(known.size_bytes for known in self._all.values() if known.plan is None)
        about = seconds / size * left if size else 0.0
        return about, about

    def parts(self, bad: Mapping[str, str]) -> list[Part]:
        """Return all recordings, to be joined.

        Args:
            bad: those of which nothing can be used, with the reason.
        """
        return [self._part(name, known, bad.get(name, "")) for name, known in self._all.items()]

    def _part(self, name: str, known: _Recording, failed: str) -> Part:
        if known.plan is not None and known.chain is not None and known.chain.is_whole:
            return Part(known.plan, known.directories)
        recording = known.recording
        unplanned = Plan(name, recording.place, recording.facts(), Scan(0), [WHOLE])
        return Part(known.plan or unplanned, (), failed)

    def _task(self, known: _Recording, segment: Segment) -> Task:
        assert known.plan is not None
        return segment_task(known.sent, known.plan, segment, self._config, self._models)

    def _check_models(self, piece: Piece, result: Path) -> None:
        here = of_each_role(piece.facts, "sha256")
        for role, sha256 in self._models.items():
            if here.get(role, sha256) != sha256:
                raise PublishError(
                    f"{piece.stream} was processed with another {role} than this machine's (SHA-256 {here[role][:12]}, here "
                    f"{sha256[:12]}): put the same models on every node, and remove {result}"
                )
