"""The command as a whole: help, errors and exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

import engine
from engine import __version__
from engine.cli import app
from engine.cli.app import COMMANDS
from engine.errors import ConfigError, DownloadError, ModelError
from tests.cli.command import Outcome, apart, complains, here
from tests.patience import PATIENCE_SECONDS


def fails_with(monkeypatch, error: BaseException) -> None:
    def broken(arguments):
        raise error

    monkeypatch.setattr(app, "build_app", lambda arguments: broken)


def test_help_lists_every_command_with_a_line_and_shows_examples(capsys):
    shown = here(capsys, "--help")
    assert (shown.code, shown.err) == (0, "")
    for name, (_, line) in COMMANDS.items():
        assert f" {name} " in shown.out
        assert " ".join(line.split()[:4]) in shown.out
    assert "facestream run --source" in shown.out


def test_without_a_command_there_is_help(capsys):
    assert "Usage: facestream COMMAND" in here(capsys).out


@pytest.mark.parametrize("words", [[], ["run"], ["gallery"], ["gallery", "list"], ["models", "pull"]])
def test_the_version_is_said_wherever_it_is_asked_for(capsys, words):
    shown = here(capsys, *words, "--version")
    assert (shown.code, shown.out, shown.err) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows"), ("freebsd14", "freebsd14")])
def test_another_system_is_told_so_before_anything_is_loaded(capsys, monkeypatch, platform, name):
    monkeypatch.setattr(app, "build_app", None)
    monkeypatch.setattr(sys, "platform", platform)
    for words in (["run", "--source", "street.mp4"], ["doctor"], ["watch", "--help"]):
        complains(here(capsys, *words), 1, f"facestream runs on Linux, and this is {name}: ", "import facestream")
    assert "Usage: facestream COMMAND" in here(capsys, "--help").out
    assert here(capsys, "--version").out == f"{__version__}\n"


def pages(app, words=()):
    """Yield the words of each page of help: of a command, and of those below it."""
    yield words
    for name in app:
        if not name.startswith("-"):
            yield from pages(app[name], (*words, name))


def test_every_page_of_help_fits_on_two_screens(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    asked = [(*words, "--help") for words in pages(app.build_app([]))]
    assert len(asked) > 40
    for words in [*asked, ("run", "--help-more")]:
        lines = here(capsys, *words).out.splitlines()
        assert lines[0].startswith("Usage: facestream"), words
        assert "[ARGS" not in lines[0], words
        assert len(lines) <= 48, words
        assert max(map(len, lines)) <= 80, words


def test_every_command_shows_an_example(capsys):
    built = app.build_app([])
    names = sorted(pages(built))
    alone = [words for words in names if not any(other[: len(words)] == words for other in names if other != words)]
    assert len(alone) > 40
    for words in alone:
        lines = here(capsys, *words, "--help").out.splitlines()
        assert any(f"facestream {' '.join(words)}" in line for line in lines[1:]), words


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (("enrol",), "facestream enrol [OPTIONS] NAME IMAGES..."),
        (("search",), "facestream search [OPTIONS] PHOTO RESULTS..."),
        (("run",), "facestream run [OPTIONS] [CONFIG]"),
        (("audit",), "facestream audit COMMAND [OPTIONS] [DIRECTORY]"),
        (("ctl", "settings", "set"), "facestream ctl settings set [OPTIONS] [CHANGES...]"),
    ],
)
def test_the_first_line_of_help_names_the_arguments(capsys, words, usage):
    """`enrol --help` said `[ARGS...]`."""
    assert here(capsys, *words, "--help").out.splitlines()[0] == f"Usage: {usage}"


def test_what_is_seldom_used_stands_on_a_page_of_its_own(capsys):
    first, second = (here(capsys, "run", word).out for word in ("--help", "--help-more"))
    assert "--help-more shows" in first
    assert "--deinterlace" not in first
    assert "--deinterlace" in second
    assert "--gallery " in first
    assert "--gallery " not in second


def test_the_shell_completes_the_commands_and_their_options(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert here(capsys, "--install-completion", "--shell", "bash").code == 0
    (script,) = (path for path in tmp_path.rglob("*") if path.name == "facestream")
    text = script.read_text(encoding="utf-8")
    assert "--deinterlace" in text
    assert all(name in text for name in COMMANDS)


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nfrom engine.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'av', 'cv2', 'dlib', 'insightface', 'numpy', 'onnxruntime', 'torch', 'zmq'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    for arguments, others in (
        (["--help"], {"cyclopts", "msgspec", "rich"}),
        (["--version"], {"cyclopts"}),
        (["frobnicate"], set()),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program.replace("'zmq'", f"'zmq', *{sorted(others)}"), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_every_option_that_a_sentence_names_is_there(capsys):
    """`watch --save` named options of `run`; a sentence in backquotes is there to be copied."""
    missing, helps = [], {}
    for file in sorted(Path(engine.__file__).parent.rglob("*.py")):
        for command in re.findall(r"`facestream ([a-z][^`\n]*)`", file.read_text(encoding="utf-8")):
            words = command.split()
            names = tuple(takewhile(re.compile("[a-z]+").fullmatch, words[:3]))
            options = [
                word.partition("=")[0] for word in words if re.fullmatch("--[a-z][a-z-]*(=.*)?", word) and word != "--help"
            ]
            if options and names not in helps:
                helps[names] = " ".join(here(capsys, *names, "--help").out.split())
            missing += [f"{file.name}: {command}" for option in options if f"{option} " not in helps[names]]
    assert missing == []
    assert len(helps) > 5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(capsys, name):
    shown = here(capsys, name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"Usage: facestream {name}" in shown.out


def test_an_unknown_command_is_one_sentence_and_2():
    complains(apart("frobnicate"), 2, "there is no command 'frobnicate'", "run, sample, ", "watch", "see facestream --help")


def test_a_mistyped_command_is_guessed(capsys):
    complains(here(capsys, "smaple"), 2, "did you mean sample?")
    complains(here(capsys, "erase", "Ada", "result"), 2, "result: more than this command takes", "see facestream erase --help")
    complains(here(capsys, "models", "lst"), 2, "did you mean list?", "see facestream models --help")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["erase"], "NAME"),
        (["check", "a.yaml", "--bogus", "1"], "--bogus"),
        (["sample", "--seconds", "many"], "--seconds"),
        (["models", "pull"], "NAME"),
        (["--bogus"], "--bogus"),
    ],
)
def test_wrong_options_are_one_sentence_and_2(capsys, arguments, says):
    complains(here(capsys, *arguments), 2, says, "--help")


@pytest.mark.parametrize(
    ("error", "code"), [(ModelError("no model"), 2), (DownloadError("no network"), 1), (ConfigError("no key"), 2)]
)
def test_our_own_errors_are_printed_as_they_are(capsys, monkeypatch, error, code):
    fails_with(monkeypatch, error)
    complains(here(capsys, "doctor"), code, str(error))


def test_a_path_of_a_user_that_is_not_there_is_a_wrong_option(capsys):
    complains(here(capsys, "ctl", "status", "--directory", "~nobody-at-all/y"), 2, "begins with ~", "write the path out")


def test_an_unexpected_error_is_short_unless_a_traceback_is_asked_for(capsys, monkeypatch):
    fails_with(monkeypatch, ZeroDivisionError("division by zero"))
    monkeypatch.delenv("FACESTREAM_TRACEBACK", raising=False)
    complains(here(capsys, "doctor"), 1, "unexpected ZeroDivisionError: division by zero", "FACESTREAM_TRACEBACK=1")
    monkeypatch.setenv("FACESTREAM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        app.main(["doctor"])


def test_an_interrupt_is_quiet_and_130(capsys, monkeypatch):
    fails_with(monkeypatch, KeyboardInterrupt())
    outcome = here(capsys, "doctor")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "")


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "engine", "models", "list"], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode in (1, 141)


def test_no_colour_where_none_is_wanted():
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    plain = apart("models", "list", env=environment)
    assert plain.code == 0
    assert "\x1b[3" not in plain.out


def test_what_is_interrupted_before_it_begins_says_nothing(capsys, monkeypatch):
    monkeypatch.setattr(app, "spelt_as_here", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    assert here(capsys, "enhance", "a.png") == Outcome(130, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_what_writes_files_as_an_interruption(capsys, monkeypatch, number):
    monkeypatch.setattr(app, "build_app", lambda arguments: lambda _: signal.raise_signal(number))
    before = signal.getsignal(signal.SIGTERM)  # Ray leaves one of its own in a process that it was used in
    assert here(capsys, "gallery", "list") == Outcome(130, "", "")
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    "command", [("enhance", "-"), ("search", "-", "run"), ("compare", "a.png", "-"), ("enrol", "Ada", "-")]
)
def test_a_dash_is_told_not_to_be_standard_input(capsys, command):
    complains(here(capsys, *command), 2, "standard input is not read: give the path of a file")
