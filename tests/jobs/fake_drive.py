"""Drives a fake job on a cluster: ``python -m tests.jobs.fake_drive DIR ADDRESS TASKS SECONDS``."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.jobs.cluster import connected
from engine.jobs.driver import Driver
from engine.jobs.job_folder import JobFolder
from engine.jobs.ray_workers import RayWorkers
from engine.jobs.standing import Standing
from tests.jobs.fake_job import FakeJob
from tests.jobs.fake_work import task


def main() -> None:
    """Drive it, and say how it stands."""
    directory, address, tasks, seconds = sys.argv[1:]
    folder = JobFolder(Path(directory))
    folder.make()

    def show(standing: Standing) -> None:
        sys.stdout.write(f"{standing.phase} {standing.tasks_done} of {standing.tasks}, {standing.workers} workers\n")
        sys.stdout.flush()

    with connected(address):
        workers = RayWorkers(folder, None, sys.stderr.write)
        over = Driver(folder, FakeJob([task(f"k{n}", seconds) for n in range(int(tasks))]), workers, lambda: 0, show).drive()
        workers.close()
    sys.exit(len(over.bad))


if __name__ == "__main__":
    main()
