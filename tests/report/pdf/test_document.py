import json
import re
from datetime import timedelta

import pytest

from engine.errors import MissingRuntimeError, PublishError, UsageError
from engine.report.pdf import document as whole
from tests.report.pdf.pages import NOON, RUN, SHA, a_run, contents_of, document, tags_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One document of three tracks, looked at by several tests."""
    tracks = {5: {"decision": "unknown"}, 7: {"frames": (0, 1, 2)}, 9: {"decision": "undecided"}}
    directory = a_run(tmp_path_factory.mktemp("made") / "result", tracks)
    return directory, *document(directory, case="2026-117", notes="Over the door.")


def test_each_track_has_one_page_named_ones_first(made):
    _, written, _, pages = made
    assert (written.pages, written.tracks, written.left_out) == (4, 3, 0)
    assert [re.search(r"Track (\d+) of cam1", page)[1] for page in pages[1:]] == ["7", "9", "5"]
    assert [page.split(" | ")[1] for page in pages[1:]] == [
        "Named by the software: Eileen Collins",
        "Not decided",
        "No match found",
    ]
    assert all(f"page {number} of 4" in page for number, page in enumerate(pages, 1))
    assert all("case 2026-117" in page for page in pages)


def test_the_first_page_says_what_is_in_it(made):
    first = made[3][0]
    for text in (
        "gate.mp4, 12,300,000 bytes",
        SHA,
        "3 tracks (1 named by the software, 1 not decided, 1 without a match)",
        "Over the door.",
        "not found where it was processed",
        "2026-11-29 12:00:00 +0000",
        "The record of the run is as it was written",
        "facestream reproduce DIR --track N --stream STREAM",
        "far more probable",
    ):
        assert text in first, text
    assert "| 2 | 7 | cam1 |" in first


def test_a_page_says_what_it_rests_on(made):
    page = made[3][1]
    for text in (
        "Original",
        "32 x 32 pixels of the video",
        "AI-enhanced: not for identification",
        "Several frames",
        "Agreement",
        "0.730",
        "cd" * 32,
        "| same |",
        "at most 1 in 1,000",
        "not known: nothing says when this recording begins",
        "the recording gate.mp4 is not where it was processed any more",
        "Over the door.",
        "No figure here was measured with this camera",
    ):
        assert text in page, text


def test_no_folder_and_no_author_are_given_away(made):
    directory, _, data, pages = made
    assert "/secret" not in "".join(pages)
    assert str(directory) not in "".join(pages)
    assert b"/Author" not in data
    assert b"/Lang (en)" in data
    assert b"/DisplayDocTitle true" in data, "a window is called as the document, not as its file"
    assert b'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Faces found by facestream, case 2026-117</rdf:li>' in data


def test_bookmarks_lead_to_each_part_and_to_each_track(made):
    titles = [title.decode("latin-1") for title in re.findall(rb"/Title \(([^)]*)\)", made[2])]
    parts = ["What was processed", "What is in this document", "How to read a page"]
    assert [title for title in titles if title in parts] == parts
    assert [title[:7] for title in titles if title.startswith("Track ")] == ["Track 7", "Track 9", "Track 5"]


def test_all_that_is_drawn_has_its_tag_in_the_order_in_which_it_is_read(made):
    data = made[2]
    assert b"/MarkInfo <</Marked true>>" in data
    tags = tags_of(data)
    assert [tag for tag, _, _ in tags if tag.startswith("H")] == ["H1", *["H2"] * 5, *["H2", *["H3"] * 5] * 3]
    pages = contents_of(data)
    assert len(pages) == 4
    numbers = sorted(int(number) for page in pages for number in re.findall(r"/MCID (\d+)", "\n".join(page)))
    assert sorted(_drawn(tags)) == numbers, "each piece is of one element"
    for page in pages:
        inside = ""
        for line in page:
            if (begun := re.match(r"/(\w+) .*(BMC|BDC)$", line)) is not None:
                assert not inside
                inside = begun[1]
            elif line == "EMC":
                inside = ""
            else:
                assert inside or not re.search(r"(TJ|Tj| Do| S|re)( ET)?( Q)?$", line), line


def test_tables_have_rows_whose_heads_say_what_they_are_of(made):
    tables = [parts for tag, _, parts in tags_of(made[2]) if tag == "Table"]
    for rows in tables:
        assert {tag for tag, _, _ in rows} == {"TR"}
        assert len({len(cells) for _, _, cells in rows}) == 1, "as many cells in each row"
    about, sources, contents, _ = tables[:4]
    assert [(tag, of) for tag, of, _ in about[0][2]] == [("TH", "Row"), ("TD", "")]
    assert [(tag, of) for tag, of, _ in sources[0][2]] == [("TH", "Column")] * 4
    assert {tag for tag, _, _ in contents[1][2]} == {"TD"}


def test_pictures_are_told_in_words(made):
    told = [said for tag, said, _ in tags_of(made[2]) if tag == "Figure"]
    assert "Face of track 7: original" in told
    assert "Face of track 7: several frames" in told
    assert all(told)


def _drawn(tags):
    for part in tags:
        if isinstance(part, int):
            yield part
        else:
            yield from _drawn(part[2])


def test_equal_input_gives_equal_bytes_but_for_the_time(made):
    directory, _, data, _ = made
    again = document(directory, case="2026-117", notes="Over the door.")[1]
    assert again == data
    later = document(directory, NOON + timedelta(hours=1), case="2026-117", notes="Over the door.")[1]
    assert b"D:20261129130000" in later
    assert len(later) - len(data) in range(-200, 200)


def test_only_the_tracks_that_were_asked_for_and_the_others_are_said(made):
    written, _, pages = document(made[0], tracks=(("", 9), ("cam1", 5)))
    assert [re.search(r"Track (\d+) of cam1", page)[1] for page in pages[1:]] == ["9", "5"]
    assert written.left_out == 1
    assert "Left out: 1 track (7). The document was asked for the other ones only." in pages[0]
    with pytest.raises(UsageError, match="the run has no track 6"):
        document(made[0], tracks=(("", 6),))


def test_a_number_that_several_streams_have_is_never_chosen_at_random(tmp_path):
    directory = a_run(tmp_path / "run", {3: {}, 4: {}})
    for name in ("faces.jsonl", "tracks.jsonl"):
        lines = (directory / name).read_text()
        (directory / name).write_text(lines + lines.replace('"cam1"', '"door"'))
    with pytest.raises(UsageError, match=r"^track 3 is one of cam1, door: say which with --stream$"):
        document(directory, tracks=(("", 3),))
    with pytest.raises(UsageError, match="has no track 3 of yard"):
        document(directory, tracks=(("yard", 3),))
    written, _, pages = document(directory, tracks=(("door", 3),))
    assert (written.tracks, written.left_out) == (1, 3)
    assert "Track 3 of door" in pages[1]
    assert "Left out: 3 tracks (3 to 4 of cam1; 4 of door)." in pages[0]


def test_more_tracks_than_a_document_holds_are_said(made, monkeypatch):
    monkeypatch.setattr(whole, "MOST_TRACKS", 1)
    _, _, pages = document(made[0], paper="letter")
    assert "Left out: 2 tracks (5, 9). One document holds 1 tracks" in pages[0].replace("One document holds 1 track,", "x")
    assert "Named by the software: Eileen Collins" in pages[1]


def test_a_long_name_leaves_room_for_the_rest(tmp_path):
    name = "W" * 200
    _, _, pages = document(a_run(tmp_path / "run", {1: {"identity": name}}))
    assert f"Named by the software: {name}" in pages[1]
    assert "There was no room" not in pages[1]
    assert "cd" * 32 in pages[1]


def test_names_in_any_script_are_drawn_or_said(tmp_path):
    names = {1: {"identity": "Αθηνά Ёлкина"}, 2: {"identity": "عبد الرحمن"}, 3: {"identity": "田中"}}
    written, _, pages = document(a_run(tmp_path / "run", names))
    text = "".join(pages)
    assert "Named by the software: Αθηνά Ёлкина" in text
    assert "Named by the software: عبد الرحمن" in text
    assert "Named by the software: [U+7530][U+4E2D]" in text
    assert written.missing == ("中", "田")
    assert "No font on the computer that made this document draws U+4E2D, U+7530" in pages[0]


def test_pictures_that_are_gone_are_said(tmp_path):
    directory = a_run(tmp_path / "run", {1: {"frames": (0, 1)}})
    for path in (directory / "faces").rglob("*.jpg"):
        path.unlink()
    page = document(directory)[2][1]
    assert page.count("deleted since (kept for a limited time), or moved away") == 2
    assert "deleted, or moved away" in page
    assert "not there" in page
    assert 'NOT as it was written, see "How to verify it"' in page


def test_pictures_that_were_hidden_are_said(tmp_path):
    directory = a_run(tmp_path / "run", {1: {"decision": "unknown"}}, RUN | {"config": {"publish": {"redact": "vectors"}}})
    lines = [json.loads(line) | {"files": {}} for line in (directory / "faces.jsonl").read_text().splitlines()]
    (directory / "faces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = document(directory)[2][1]
    assert page.count("not kept: the run was told to hide faces (publish.redact)") == 4
    assert "The whole frame is not shown: the run was told to hide faces" in page


def test_a_run_without_faces_has_a_first_page(tmp_path):
    written, _, pages = document(a_run(tmp_path / "run", {}))
    assert (written.pages, written.tracks) == (1, 0)
    assert "The run found no faces." in pages[0]


def test_recordings_without_a_track_in_the_document_are_named_and_what_was_no_face_is_counted(tmp_path):
    directory = a_run(tmp_path / "run", {1: {}})
    record = json.loads((directory / "run.json").read_text())
    record["inputs"] |= {
        f"cam{number:03}": {"path": f"/secret/{number}.mp4", "sha256": f"{number:064x}"} for number in range(2, 900)
    }
    (directory / "run.json").write_text(json.dumps(record | {"counters": {"rejected": 4}}))
    written, _, pages = document(directory)
    assert written.pages == 3
    first = " | ".join(pages[:2])
    assert "898 other sources have no track in this document:" in first
    assert f"cam002 | 2.mp4 | {2:064x}" in first
    assert f"cam021 | 21.mp4 | {21:064x}" in first
    assert "cam022" not in first
    assert "878 more are not listed: run.json names all." in first
    assert "one person may have several. 4 tracks were left out as no face." in first


@pytest.mark.parametrize(("tracks", "covers"), [(12, 1), (13, 2), (14, 2), (40, 2)])
def test_no_page_is_begun_for_the_last_lines_of_the_first_ones(tmp_path, monkeypatch, tracks, covers):
    monkeypatch.setattr("engine.report.pdf.track_page.track_page", lambda *_: None)
    pages = document(a_run(tmp_path / "run", {number: {} for number in range(1, tracks + 1)}), case="2026-117")[2]
    assert len(pages) == covers
    assert "How to verify it (for a technician) | " in pages[-1]
    assert "of which this document is an extract." in pages[-1]


def test_the_head_of_a_page_is_one_line(tmp_path):
    case = " ".join(["hallway"] * 40)
    pages = document(a_run(tmp_path / "run", {1: {}}), case=case)[2]
    head = pages[1].split(" | ")[0]
    assert head.startswith("Faces found by facestream, case hallway hallway ")
    assert head.endswith(" hallway …")
    assert f"case {case}" in pages[1], "all of it stands below"


def test_long_notes_go_on_over_pages_and_stand_there_once(tmp_path):
    notes = "\n".join(f"line {number} of what was asked for" for number in range(150)) + " نهاية"
    written, _, pages = document(a_run(tmp_path / "run", {1: {}}), notes=notes)
    assert written.pages == 4
    assert "line 0 of what was asked for" in pages[0]
    assert "line 149 of what was asked for" in "".join(pages[:3])
    assert "of what was asked for" not in pages[3]


def test_a_camera_has_no_file(tmp_path):
    directory = a_run(tmp_path / "run", {1: {}})
    record = json.loads((directory / "run.json").read_text()) | {"inputs": {}}
    (directory / "run.json").write_text(json.dumps(record))
    first, page = document(directory)[2]
    assert "a camera: no file" in first
    assert "The whole frame is not shown: frames of a camera were not kept." in page


def test_what_is_no_run_is_one_sentence(tmp_path):
    with pytest.raises(PublishError, match="is not the output directory of a run"):
        document(tmp_path / "nothing")


def test_what_is_not_installed_is_said_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(whole.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[exhibit\]'"):
        document(a_run(tmp_path / "run", {}))
