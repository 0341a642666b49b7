"""What goes from one finished run of the service, as it is too old or too much; done in a child of the service."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from engine.archive.chain import Keep
from engine.archive.chain_cuts import cutting
from engine.archive.expiry import Expiry
from engine.archive.files import FACES
from engine.archive.retention import Retention
from engine.archive.vector_files import vector_files
from engine.errors import FacestreamError
from engine.keys.signing import SigningKey, signing_key
from engine.privacy import Policy, expire
from engine.privacy.cutting import LINES
from engine.privacy.runs import GoesOn, nobody_writes
from engine.service.task_messages import ExpiredRun, ExpireTask

_ALL = Policy(records_days=1e-9)
_FEW_BYTES = 1_000_000
"""A run that may keep fewer of lines and vectors goes as a whole."""


def expire_run(task: ExpireTask) -> ExpiredRun:
    """Delete what is too old or too much; of a run that goes on nothing."""
    run = Path(task.run)
    key = signing_key(Path(task.sign).expanduser()) if task.sign else None
    before, faults = sum(sizes_of(run)), list[str]()
    try:
        if task.most_records_bytes is not None and task.most_records_bytes < _FEW_BYTES:
            faults += _by_age(run, _ALL, key)
        elif not task.policy.keeps_all:
            faults += _by_age(run, task.policy, key)
        with contextlib.suppress(GoesOn):
            _by_size(run, task, key)
    except (OSError, FacestreamError) as error:
        faults.append(f"{run}: {error}")
    return ExpiredRun(bytes=max(0, before - sum(sizes_of(run))), faults=faults)


def _by_age(run: Path, policy: Policy, key: SigningKey | None) -> list[str]:
    return [f"{one.directory}: {one.error}" for one in expire(run, policy, time.time_ns(), key=key) if one.error]


def _by_size(run: Path, task: ExpireTask, key: SigningKey | None) -> None:
    """Do what a run does itself while it goes on: the oldest goes first."""
    pictures, records = sizes_of(run)
    fewer_pictures = task.most_pictures_bytes is not None and pictures > task.most_pictures_bytes
    fewer_records = task.most_records_bytes is not None and records > task.most_records_bytes
    if not fewer_pictures and not fewer_records:
        return
    most_records = max(1, task.most_records_bytes or 0) if fewer_records else 0
    most_pictures = max(1, task.most_pictures_bytes or 0) if fewer_pictures else 0
    rule = Keep.of(pictures_gb=most_pictures / 1e9, records_gb=most_records / 1e9)
    with nobody_writes(run), cutting(run, "expire", key=key, keep=rule) as doing:

        def tell_files(emptied: dict[str, int]) -> None:
            if doing is not None:
                doing.chain.add("sealed", emptied=emptied, keep=rule)

        def tell_folders(folders: list[Path]) -> None:
            if doing is not None:
                doing.chain.add("sealed", removed=[one.relative_to(run).as_posix() for one in folders], keep=rule)

        expiry = Expiry(run, 0.0, most_records, tell_files)
        expiry.look()
        retention = Retention(run / FACES, 0.0, most_pictures, tell_folders)
        while retention.look(expiry.gone_before):
            pass


def sizes_of(run: Path) -> tuple[int, int]:
    """Return what pictures, and lines and vectors, take on the disk, in bytes."""
    pictures = sum(
        entry.stat(follow_symlinks=False).st_size
        for folder, _, _ in os.walk(run / FACES)
        for entry in os.scandir(folder)
        if entry.is_file(follow_symlinks=False)
    )
    files = [path.lstat() for path in (*(run / name for name in LINES), *vector_files(run)) if path.is_file()]
    return pictures, sum(min(one.st_size, 512 * one.st_blocks) for one in files)  # their beginnings may be holes
