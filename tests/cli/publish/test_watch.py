import json
import re
import signal
import subprocess
import sys

import msgspec
import pytest
import zmq

from engine.cli.publish.watch_saver import Saver
from engine.cli.publish.watch_words import describe
from engine.client import Gap, Received
from engine.config import PublishConfig
from engine.contracts.findings import Basis
from engine.errors import ConfigError
from engine.publish.numbering import Numbering
from engine.publish.publisher import Publisher
from engine.report.page import write_report
from tests.cli.command import complains, here
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import as_sent, end, environment, face, stream_event, track


@pytest.fixture
def publisher():
    """A lossless publisher in this process; the reader comes when it comes."""
    opened = zmq.Context()
    made = Publisher(PublishConfig(endpoint="tcp://127.0.0.1:*", socket="push"), "run1", opened)
    yield made
    made.close()
    opened.term()


MAIN = "import cyclopts; from engine.cli.publish.watch import watch; app = cyclopts.App(); app.command(watch); app()"


def started(publisher, *options):
    command = [sys.executable, "-u", "-c", MAIN, "watch", publisher.bound_endpoint, "--socket", "pull", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def watched(publisher, *options, messages):
    """Send messages to ``watch`` in a process of its own; return its exit code and what it printed."""
    with started(publisher, *options) as process:
        for message, payloads in messages:
            publisher.send(message, payloads, lambda: process.poll() is not None)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output, errors


def a_run():
    return [
        (stream_event(), []),
        face(index=50),
        face(index=75, score=0.8),
        track(),
        (stream_event("cam1", "ended"), []),
        (end(), []),
    ]


def test_one_line_a_message_and_a_summary(publisher):
    code, output, errors = watched(publisher, messages=a_run())
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert [line.split()[0] for line in lines[:-1]] == ["stream", "face", "face", "track", "stream", "end"]
    assert lines[1].startswith(
        "face cam1 #1  00:00:02.0 24 px quality 0.50  known: Eileen Collins 0.710 (enhanced 0.740)  compact_x4"
    )
    assert lines[-1] == "6 messages, 0 missed"


def test_json_lines_are_the_headers(publisher):
    code, output, errors = watched(publisher, "--json", "--kinds", "face", "end", messages=a_run())
    assert code == 0
    headers = [json.loads(line) for line in output.splitlines()]
    assert [header["kind"] for header in headers] == ["face", "face", "end"]
    assert headers[0]["candidates"][0]["identity"] == "Eileen Collins"
    assert [header["seq"] for header in headers[:2]] == [0, 1]
    assert errors.strip() == "3 messages, 0 missed"


def test_saving_gives_a_directory_that_a_report_can_be_made_of(publisher, tmp_path):
    messages = a_run()
    code, _, errors = watched(publisher, "--save", str(tmp_path / "seen"), messages=messages)
    assert (code, errors) == (0, "")
    saved = [json.loads(line) for line in (tmp_path / "seen/faces.jsonl").read_text().splitlines()]
    for line, (_, payloads) in zip(saved, messages[1:3], strict=True):
        assert (tmp_path / "seen" / line["files"]["enhanced"]).read_bytes() == payloads[0]
    run = json.loads((tmp_path / "seen/run.json").read_text())
    assert (run["outcome"], run["run_id"]) == ("completed", "run1")
    assert "Eileen Collins" in write_report(tmp_path / "seen", 5).read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_following_saves_each_run_by_itself_until_it_is_stopped(publisher, tmp_path, number):
    with started(publisher, "--follow", "--save", str(tmp_path)) as process:
        for message, payloads in a_run():
            publisher.send(message, payloads)
        assert any(line.startswith("end") for line in process.stdout)
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, output, errors) == (0, "6 messages, 0 missed\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["run1"]
    assert json.loads((tmp_path / "run1/run.json").read_text())["outcome"] == "completed"


def test_runs_that_go_on_at_a_time_are_saved_each_in_one_folder(tmp_path):
    with Saver(tmp_path, "ipc://x", several_runs=True) as saver:
        for seq in range(3):
            for name in ("run1", "run2"):
                message, payloads = face(index=seq)
                saver.write(Received(as_sent(message, seq, name), payloads, False))
        saver.write(Received(as_sent(end(), 0, "run2"), [], False))
    found = {path.name: len((path / "faces.jsonl").read_text().splitlines()) for path in tmp_path.iterdir()}
    assert found == {"run1": 3, "run2": 3}
    outcomes = [json.loads((tmp_path / name / "run.json").read_text())["outcome"] for name in ("run1", "run2")]
    assert outcomes == ["drained", "completed"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_second_run_does_not_take_the_place_of_the_first(tmp_path, overwrite):
    """With --overwrite each message of another run emptied the folder."""
    message, payloads = face()
    with Saver(tmp_path / "seen", "ipc://x", several_runs=False, overwrite=overwrite) as saver:
        saver.write(Received(as_sent(message, 0, "run1"), payloads))
        with pytest.raises(ConfigError, match=r"ipc://x sends another run, too \(run2\): --follow saves each"):
            saver.write(Received(as_sent(message, 0, "run2"), payloads))
        saver.write(Received(as_sent(message, 1, "run1"), payloads))
    assert len((tmp_path / "seen/faces.jsonl").read_text().splitlines()) == 2


def test_runs_whose_names_differ_in_what_no_folder_has_are_saved_apart(tmp_path):
    names = ["2026-11-28 12:00", "2026-11-28/12/00", "..", "/", "2026-11-28_12_00"]
    with Saver(tmp_path, "ipc://x", several_runs=True) as saver:
        for name in names:
            message, payloads = track()
            saver.write(Received(Numbering(name).stamp(message), payloads, False))
    saved = {json.loads((folder / "run.json").read_text())["run_id"]: folder.name for folder in tmp_path.iterdir()}
    assert set(saved) == set(names)
    assert saved["2026-11-28/12/00"] == "2026-11-28_12_00-2"


def test_a_likelihood_ratio_at_its_bound_may_be_more():
    body, payloads = track()
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, log10_lr_bounds=(-1.5, 2.0))
    candidate = msgspec.structs.replace(as_sent(body).candidates[0], log10_lr=2.0)
    said = describe(Received(as_sent(body, candidates=[candidate], basis=basis), payloads, False)).plain
    assert ", likelihood ratio 100 or more" in said


def test_what_a_publisher_says_cannot_steer_the_terminal():
    evil = "\x1b[2J\r\n\u202e"
    items = [
        Gap(evil, "face", 3, 5),
        Received(as_sent(stream_event(), detail=evil, reason=evil), []),
        Received(as_sent(end(), detail=evil), []),
        Received(as_sent(track(identity=evil)[0]), track()[1]),
    ]
    for item in items:
        said = describe(item).plain
        assert "\\x1b[2J\\r\\n\\u202e" in said
        assert said.isprintable()


@pytest.mark.parametrize(("of_picture", "words"), [(False, " QP 31  "), (True, " QP 31 of the picture  ")])
def test_the_compression_of_a_whole_picture_is_called_so(of_picture, words):
    seen = as_sent(face()[0])
    quality = msgspec.structs.replace(seen.quality, qp=31.2, qp_of_picture=of_picture)
    assert words in describe(Received(msgspec.structs.replace(seen, quality=quality), face()[1], replayed=False)).plain


def test_a_gap_is_said_in_red_and_what_was_replayed_in_words():
    gap = describe(Gap("cam1", "face", 3, 5))
    assert (gap.plain, str(gap.style)) == ("missed 3 face of cam1: seq 3 to 5", "bold red")
    assert describe(Gap("", "stats", 3, 3)).plain == "missed 1 stats of the run: seq 3"
    said = describe(Received(as_sent(face()[0]), face()[1], replayed=True)).plain
    assert said.endswith("replayed")
    assert re.search(r" agrees with the picture [\d.]+ dB", said)
    assert " LR " not in said


def test_a_directory_that_holds_a_run_is_refused_with_the_options_that_there_are(capsys, publisher, tmp_path):
    """It named --resume, which `watch` lacks, and only when the first message came."""
    (tmp_path / "run.json").write_text("{}")
    refused = here(capsys, "watch", publisher.bound_endpoint, "--save", tmp_path)
    complains(refused, 2, "already holds a run", "choose another directory with --save, or replace it with --overwrite")
    assert "--resume" not in refused.err
    message, payloads = track()
    with Saver(tmp_path, "ipc://x", several_runs=False) as saver, pytest.raises(ConfigError, match="--overwrite"):
        saver.write(Received(Numbering("run1").stamp(message), payloads, False))
    with Saver(tmp_path, "ipc://x", several_runs=False, overwrite=True) as saver:
        saver.write(Received(Numbering("run1").stamp(message), payloads, False))
    assert json.loads((tmp_path / "run.json").read_text())["run_id"] == "run1"


def test_who_watches_where_nothing_comes_is_told_what_for(publisher):
    with started(publisher) as process:
        said = re.fullmatch(
            r"facestream: note: nothing has come from (\S+) for (\d+) s: (.+); still waiting\n", process.stderr.readline()
        )
        assert said[1] == publisher.bound_endpoint
        assert int(said[2]) >= 5  # more where the machine is busy
        assert said[3] == (
            "a publisher is there, but has sent nothing that was asked for; perhaps its run has found nobody yet"
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
