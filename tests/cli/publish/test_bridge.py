"""What is wrong with a command line is one sentence, before anything is received."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from engine.bridge.bridge import BridgeStatus
from engine.bridge.buffer import Buffer
from engine.bridge.names import Key
from engine.cli.publish.bridge import words_of
from tests.cli.command import complains, here
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import environment
from tests.servers.nats import require_nats

FROM = ("--from", "tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((*FROM, "--to", "kafka://h"), "give each host its port, as in kafka://HOST:9092"),
        (
            (*FROM, "--to", "kafka://h:9092", "--window", "60"),
            "--window is for NATS, and --to is kafka://h:9092: leave",
        ),
        ((*FROM, "--to", "nats://h", "--window", "0"), "--window 0 must be above 0"),
        ((*FROM, "--to", "h:4222"), "use nats://HOST:4222"),
        ((*FROM, "--to", "nats://h", "--prefix", "site 7"), "the prefix 'site 7' is not usable"),
        ((*FROM, "--to", "nats://h", "--buffer-gb", "0"), "--buffer-gb 0 must be above 0"),
        ((*FROM, "--to", "nats://h", "--picture-limit", "-3"), "--picture-limit -3 must be above 0"),
        (("--from", "127.0.0.1:9", "--to", "nats://h"), "use tcp://ADDRESS:PORT"),
        ((*FROM, "--to", "nats://h", "--metrics", "9100"), "--metrics is '9100': use HOST:PORT"),
        ((*FROM, "--to", "nats://h", "--metrics", "192.0.2.1:9100"), "--metrics 192.0.2.1:9100: cannot listen there"),
        ((*FROM, "--to", "nats://h", "--key", "/nowhere.key"), "/nowhere.key"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, sentence, tmp_path, capsys):
    outcome = here(capsys, "bridge", "--buffer", tmp_path / "waits", *options)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert sentence in outcome.err.splitlines()[-1]


def test_what_waits_for_another_site_is_not_sent_in_the_name_of_this_one(tmp_path, capsys):
    with closing(Buffer(tmp_path, 10**6, "yard", warn=lambda _: None)) as buffer:
        buffer.put(Key("run1", "door", "face", 0, 0), b"x")
        buffer.commit()
    outcome = here(capsys, "bridge", "--buffer", tmp_path, *FROM, "--to", "nats://h", "--prefix", "hall")
    complains(outcome, 2, "holds 1 message of the site yard", "send what waits with --prefix yard first")


@pytest.mark.parametrize(
    ("library", "to", "extra"), [("nats", "nats://h", "nats"), ("confluent_kafka", "kafka://h:9092", "kafka")]
)
def test_without_its_library_it_says_what_to_install(library, to, extra, tmp_path):
    (tmp_path / f"{library}.py").write_text("raise ImportError('none here')")
    env = environment() | {"PYTHONPATH": os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])}
    command = [sys.executable, "-m", "engine", "bridge", "--buffer", str(tmp_path / "w"), *FROM, "--to", to]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=env)
    assert done.returncode == 1
    assert f"pip install 'facestream[{extra}]'" in done.stderr


def test_with_nobody_at_either_end_it_waits_says_so_and_ends_when_it_is_asked(tmp_path):
    require_nats()
    command = [sys.executable, "-m", "engine", "bridge", "--buffer", str(tmp_path / "w"), *FROM]
    with subprocess.Popen(
        [*command, "--to", "nats://me:secret-word@127.0.0.1:9"], stderr=subprocess.PIPE, text=True, env=environment()
    ) as bridge:
        assert bridge.stderr is not None
        told = [bridge.stderr.readline()]
        while "the link is down" not in told[-1]:  # that nobody publishes is said, too, and either may be first
            told.append(bridge.stderr.readline())
            assert told[-1], told
        bridge.send_signal(signal.SIGINT)
        rest = bridge.stderr.read()
        assert bridge.wait(PATIENCE_SECONDS) == 0
    assert "secret-word" not in "".join(told) + rest
    assert rest.splitlines()[-1] == "link down, 0 messages carried"


def test_a_line_about_a_bridge_says_what_is_not_nothing():
    counts = dict.fromkeys(BridgeStatus.__struct_fields__, 0)
    status = BridgeStatus(**(counts | {"link": "up", "reason": "", "published": 12_000, "waiting": 3, "waiting_bytes": 60_000,
                                       "waits_seconds": 2.0, "missed": 1}))  # fmt: skip
    assert words_of(status) == "link up, 12,000 messages carried, 3 wait (0.1 MB, 2 s), 1 missed"
