"""A writer that is killed loses nothing that it said was done, and no score names another gallery than it was compared with."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.verify.gallery.sqlite.gallery import Gallery
from tests.bench.gallery_kills import Follower, check, histories, kill_and_go_on


def test_changes_under_scoring_with_writers_that_are_killed(tmp_path: Path) -> None:
    path, journal, scores, over = tmp_path / "people.sqlite", tmp_path / "journal", [], threading.Event()
    Gallery(path).close()
    journal.touch()

    def follow() -> None:
        follower = Follower(str(path))
        while not over.is_set():
            scores.append(follower.score(-len(scores) % 1_000_003))

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        killed = kill_and_go_on(str(path), journal, 40, 1)
    finally:
        over.set()
        reader.join()
    history = histories(journal)
    assert check(scores, history) == len(scores) > 0
    assert killed <= 1
    with Gallery(path, read_only=True) as gallery:
        assert [person.name for person in gallery.list()] == sorted(history[40])
