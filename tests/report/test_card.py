import json
import re

import msgspec
import pytest

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.findings import Basis
from engine.publish.numbering import Numbering
from tests.publish.samples import track
from tests.report.test_page import FACTS, RUN, cards, report, write_run


def test_a_card_says_what_the_decision_rests_on(tmp_path):
    basis = Basis(14, 2, 30.0, None, 0.5, None, 0.01, persons=2, nobody=5, moments=9)
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(tmp_path)), RUN)
    message, payloads = track()
    sink.write(numbering.stamp(msgspec.structs.replace(message, basis=basis)), payloads)
    sink.close("completed", FACTS)
    [card] = cards(report(tmp_path))
    assert "<dt>decided by moments</dt><dd>9, 5 too poor to recognise anybody</dd>" in card
    assert "<dt>people in this track</dt><dd>2: decided by the one seen at the most moments</dd>" in card


@pytest.mark.parametrize(
    ("chance", "words"), [(1.0, "100 %"), (0.0004, "1 in 2,500"), (0.025, "25 in 1,000"), (1e-9, "&lt; 1 in 100,000")]
)
def test_a_candidate_shows_how_often_strangers_look_so_much_like_somebody(tmp_path, chance, words):
    write_run(tmp_path, tracks=1, faces=1)
    assert "strangers as alike</th>" not in report(tmp_path)
    line = json.loads((tmp_path / "tracks.jsonl").read_text())
    line["candidates"][0]["false_name_chance"] = chance
    (tmp_path / "tracks.jsonl").write_text(json.dumps(line) + "\n")
    page = report(tmp_path)
    assert "strangers as alike</th>" in page
    assert f"<td>{words}</td>" in page


def test_a_card_says_what_its_likelihood_ratio_is_worth_and_how_much_could_be_shown(tmp_path):
    write_run(tmp_path, tracks=1, faces=1)
    assert "likelihood ratio" not in report(tmp_path).lower()
    line = json.loads((tmp_path / "tracks.jsonl").read_text())
    line["candidates"][0]["log10_lr"] = 2.4
    basis = Basis(4, 2, 30.0, 14.0, 0.5, None, 0.01, calibration="0123456789ab", bucket="28-40 px, several faces",
                  log10_lr_bounds=(-1.7, 4.3))  # fmt: skip
    line["basis"] = msgspec.to_builtins(basis)
    (tmp_path / "tracks.jsonl").write_text(json.dumps(line) + "\n")
    page = report(tmp_path)
    assert ">likelihood ratio</th>" in page
    assert "<td>250</td>" in page
    assert (
        "appreciably more probable if it is Eileen Collins than if it is somebody else. Likelihood ratio 250 (log10 2.4)"
        in page
    )
    assert "for 28-40 px, several faces 1/50 to 20,000 can be shown. Calibration 0123456789ab.</p>" in page
    assert page.count("A ratio is about one comparison") == 1
    line["candidates"][0]["log10_lr"] = 4.3
    (tmp_path / "tracks.jsonl").write_text(json.dumps(line) + "\n")
    page = report(tmp_path)
    assert "Likelihood ratio 20,000 or more (log10 4.3)" in page
    assert "<td>20,000 or more</td>" in page
    assert "<p>likelihood ratio 20,000 or more: far more probable</p>" in page


def test_how_well_an_enhanced_picture_agrees_is_not_called_as_a_likelihood_ratio_is(tmp_path):
    write_run(tmp_path, tracks=1, faces=1)
    [card] = cards(report(tmp_path))
    assert re.search(r'<dt><span title="[^"]+PSNR[^"]+">agrees with the picture</span></dt><dd>[\d.]+ dB</dd>', card)
    assert "LR " not in card
