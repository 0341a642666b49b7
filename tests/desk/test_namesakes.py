"""Two galleries may have two people of one name."""

from pathlib import Path

import pytest

from engine.desk.namesakes import unlike_namesakes
from engine.desk.people import people_of
from engine.desk.stored import read_result
from tests.desk.results import write_result


@pytest.mark.parametrize(
    ("other", "epoch", "sha256", "is_doubtful"),
    [
        ("somebody else", "b", None, True),
        ("ann", "b", None, False),
        ("somebody else", "a", None, False),
        ("somebody else", "", None, False),
        ("somebody else", "b", "ab" * 32, False),
    ],
    ids=["two people", "a copy of the gallery", "one gallery", "no record of a gallery", "no calibration"],
)
def test_a_name_from_two_galleries_is_doubted_where_the_faces_speak_against_it(
    tmp_path: Path, other: str, epoch: str, sha256: str | None, is_doubtful: bool
) -> None:
    more = {} if sha256 is None else {"sha256": sha256}
    one = write_result(tmp_path / "one", [("ann", "Ann", 0), ("ann", "Ann", 9)], gallery_epoch="a", **more)
    two = write_result(tmp_path / "two", [(other, "Ann", 0)], run_id="run2", gallery_epoch=epoch, **more)
    people = people_of([read_result(one), read_result(two)])
    assert [len(person.tracks) for person in people.persons] == [3], "one name is one person until somebody parts them"
    found = [(person.name, *(track.result.run.directory.name for track in pair)) for person, *pair in unlike_namesakes(people)]
    assert found == ([("Ann", "one", "two")] if is_doubtful else [])
