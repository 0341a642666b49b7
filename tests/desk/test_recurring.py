from engine.desk.corrected import Desk
from engine.desk.people import people_of
from engine.desk.recurring import recurring_strangers
from engine.desk.selection import choose_results
from tests.desk.results import write_result
from tests.report.test_page import write_run


def test_a_run_whose_tracks_cannot_be_grouped_has_no_recurring_strangers(tmp_path):
    assert recurring_strangers(write_run(tmp_path / "run", tracks=2)) == {}
    assert recurring_strangers(tmp_path / "none") == {}


def test_strangers_with_several_tracks_are_found_and_those_whom_a_person_named(tmp_path):
    walks = [("ann", "", 0), ("bea", "", 10), ("ann", "", 20), ("cid", "Cid", 30), ("cid", "Cid", 40)]
    directory = write_result(tmp_path / "one", walks)
    found = recurring_strangers(directory)
    assert set(found) == {("yard", 1), ("yard", 3)}
    assert len(set(found.values())) == 1
    assert found["yard", 1].naming == ""
    results = choose_results([directory]).results
    Desk(results, people_of(results), "me", "").name("yard/2", "Bea")
    assert recurring_strangers(directory)["yard", 2] == ("Bea", "named by me")
    Desk(results, people_of(results), "me", "").name("yard/1", "Ann")
    found = recurring_strangers(directory)
    assert found["yard", 1] == ("Ann", "named by me")
    assert found["yard", 3] == ("Ann", "grouped with a track that me named")
