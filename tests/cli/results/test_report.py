import json
import os
import signal
import tempfile

from engine.archive.corrections import TrackRef, append_correction, new_correction
from tests.cli.command import complains, here
from tests.report.pdf.pages import drawing
from tests.report.test_page import write_run


def test_the_page_is_made_again(capsys, tmp_path):
    run = write_run(tmp_path / "run", tracks=1)
    (run / "report.html").unlink(missing_ok=True)
    assert here(capsys, "report", run).code == 0
    assert (run / "report.html").is_file()
    complains(here(capsys, "report", run, "--case", "7"), 2, "add --pdf")
    complains(here(capsys, "report", run, "--pdf", "--video", "never"), 2, "leave --pdf out")


def test_a_page_elsewhere_takes_the_place_of_nothing(capsys, tmp_path):
    run, out = write_run(tmp_path / "run", tracks=1), tmp_path / "page.html"
    assert json.loads(here(capsys, "report", run, "--out", out, "--json").out) == {"out": str(out)}
    out.write_text("mine")
    complains(here(capsys, "report", run, "--out", out), 2, "is there already")
    assert out.read_text() == "mine"
    assert here(capsys, "report", run, "--out", out, "--overwrite").code == 0
    for arguments, words in (
        (["--out", tmp_path / "x.pdf"], "end with .html"),
        (["--gallery", tmp_path / "g.sqlite"], "add --photographs"),
        (["--photographs", tmp_path / "none"], "is not a folder"),
    ):
        complains(here(capsys, "report", run, *arguments), 2, words)
    complains(here(capsys, "report", run, "--out", tmp_path / "none" / "x.html"), 1, "cannot write the report")
    complains(here(capsys, "report", run, "--out", run / "x.html"), 2, "lies inside the run's directory")
    assert here(capsys, "report", run, "--out", run / "report.html", "--overwrite").code == 0


def test_a_document_stands_beside_the_run_and_is_not_overwritten(capsys, tmp_path):
    run, notes = write_run(tmp_path / "run", tracks=2, faces=1), tmp_path / "notes.txt"
    notes.write_bytes("\ufeffOver the door.\r\n".encode())
    told = here(capsys, "report", run, "--pdf", "--json", "--track", 1, "--notes", notes, "--paper", "letter")
    assert told.code == 0, told
    out = tmp_path / "run.pdf"
    assert json.loads(told.out) == {"out": str(out), "pages": 2, "tracks": 1, "left_out": 1, "not_drawn": []}
    for asked in (["--track", "cam1/1"], ["--track", 1, "--stream", "cam1"]):
        told = here(capsys, "report", run, "--pdf", "--overwrite", "--json", *asked)
        assert json.loads(told.out)["left_out"] == 1, told
    before = out.read_bytes()
    assert before.startswith(b"%PDF-")
    complains(here(capsys, "report", run, "--pdf"), 2, "is there already")
    assert out.read_bytes() == before
    said = here(capsys, "report", run, "--pdf", "--overwrite", "--notes", "in words")
    assert "run.pdf, 3 pages, 2 tracks" in said.out


def test_a_signal_leaves_no_frames_in_the_temporary_folder(capsys, tmp_path, monkeypatch):
    run, there = write_run(tmp_path / "run", tracks=1, faces=1), []

    def ended(*_: object) -> None:
        there.extend(path.name for path in (tmp_path / "tmp").iterdir())
        signal.raise_signal(signal.SIGTERM)

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr("engine.report.pdf.document._write", ended)
    assert here(capsys, "report", run, "--pdf").code == 130
    assert [name.startswith("facestream-") for name in there] == [True]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_names_are_confirmed_by_those_who_gave_them(capsys, tmp_path):
    run = write_run(tmp_path / "run", tracks=1, faces=1)
    for who in ("ada", "grace"):
        with drawing() as drawn:
            assert here(capsys, "report", run, "--pdf", "--overwrite", "--two-person").code == 0
        assert "Not confirmed: Eileen Collins" in drawn.pages[1]
        append_correction([run], new_correction(who, "name", [TrackRef("run1", "cam1", 0)], name="Eileen Collins"))
    with drawing() as drawn:
        assert here(capsys, "report", run, "--pdf", "--overwrite", "--two-person").code == 0
    assert "Named by the software: Eileen Collins" in drawn.pages[1]
    assert "Confirmed by ada and grace." in drawn.pages[1]


def test_what_is_not_utf8_on_the_command_line_stands_in_the_document_with_escapes(capsys, tmp_path):
    run, said = write_run(tmp_path / "run", tracks=1, faces=1), os.fsdecode(b"caf\xe9")
    with drawing() as drawn:
        assert here(capsys, "report", run, "--pdf", "--case", said, "--examiner", said, "--notes", said).code == 0
    assert drawn.pages[0].count("caf\\udce9") == 4


def test_what_cannot_be_done_is_one_sentence(capsys, tmp_path):
    run, bad = write_run(tmp_path / "run", tracks=1, faces=1), tmp_path / "notes.bin"
    bad.write_bytes(b"\xff\xfe\xff")
    for arguments, code, words in (
        (["--out", run / "inside.pdf"], 2, "erase"),
        (["--out", tmp_path / "x.doc"], 2, "needs the ending .pdf"),
        (["--out", tmp_path / "none" / "x.pdf"], 2, "there is no folder"),
        (["--notes", bad], 2, "not text in UTF-8"),
        (["--notes", "x" * 20_001], 2, "too long"),
        (["--case", "7" * 61], 2, "--case of 61 characters is too long"),
        (["--track", "99"], 2, "has no track 99"),
        (["--track", "cam1/99"], 2, "has no track 99 of cam1"),
        (["--track", "0", "--stream", "yard"], 2, "has no track 0 of yard"),
        (["--track", "cam1/"], 2, "'cam1/' is not a track"),
        (["--track", "/0"], 2, "'/0' is not a track"),
        (["--track", "٣"], 2, "is not a track"),
        (["--stream", "cam1"], 2, "add --track"),
    ):
        complains(here(capsys, "report", run, "--pdf", *arguments), code, words)
    complains(here(capsys, "report", tmp_path / "nothing", "--pdf"), 2, "is not the output directory of a run")
