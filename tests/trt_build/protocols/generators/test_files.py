import csv
import json

import pytest

from tests.trt_build.protocols.generators.runs import results
from trt_build.errors import DataError
from trt_build.protocols.generators.files import write_csv, write_markdown
from trt_build.protocols.tables import write_json


def test_json_holds_everything(tmp_path):
    some = results()
    write_json(some, tmp_path / "new" / "results.json")
    found = json.loads((tmp_path / "new" / "results.json").read_text())
    assert found["protocol"] == "faces"
    assert len(found["rows"]) == len(some.rows)
    assert found["rows"][1]["figures"]["psnr_db"] == {
        "value": 32.5, "interval": [31.5, 33.5], "gain": {"value": 2.5, "low": 2.0, "high": 3.0},
    }  # fmt: skip
    assert found["rows"][0]["figures"]["false_detail"]["value"] is None
    assert found["papers"][0]["measured"] == ["srcnn_x4"]
    assert len(found["curves"]) == 6


def test_csv_has_a_line_for_each_row(tmp_path):
    some = results()
    write_csv(some, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["method"] for line in lines] == [row.method for row in some.rows]
    assert (lines[1]["psnr_db"], lines[1]["psnr_db_gain"], lines[1]["psnr_db_gain_low"]) == ("32.5", "2.5", "2")
    assert lines[0]["psnr_db_gain"] == lines[0]["false_detail"] == lines[2]["psnr_db"] == ""
    assert (lines[0]["inputs"], lines[0]["low_px"], lines[0]["scale"]) == ("clean", "32", "4")


def test_markdown_is_the_table_as_it_is_printed(tmp_path):
    write_markdown(results(), tmp_path / "results.md")
    lines = (tmp_path / "results.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("| input | px | scale | method | PSNR dB | gain [95 %] |")
    assert lines[1] == "|" + " --- |" * lines[0].count(" |")
    assert lines[3].startswith("| clean | 32 | x4 | srcnn_x4 | 32.50 ▲ | +2.50 [+2.00, +3.00] |")
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "excludes 0" in lines[-1]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for write in (write_json, write_csv, write_markdown):
        with pytest.raises(DataError, match=r"results' cannot be written: \S+file is not a folder"):
            write(results(), tmp_path / "file" / "results")
