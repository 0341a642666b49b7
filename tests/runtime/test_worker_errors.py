"""What a worker says of its own end, and what it prints: real processes."""

from __future__ import annotations

import logging
import os
import resource
import warnings

import pytest

from engine.errors import FacestreamError, ModelError
from engine.runtime.protocol import Failed
from engine.runtime.worker import WorkerContext, error_words, start_worker
from tests.patience import PATIENCE_SECONDS
from tests.runtime.worker_bodies import CODEC, hear_all


def failing_body(context: WorkerContext) -> None:
    raise ModelError("the model is not there: fetch it")


def crashing_body(context: WorkerContext) -> None:
    raise KeyError("surprise")


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [(failing_body, "the model is not there: fetch it", 2), (crashing_body, "the worker bad failed: KeyError: 'surprise'", 1)],
)
def test_an_error_is_one_sentence_and_a_code(body, message, code):
    worker = start_worker("bad", body, codec=CODEC)
    (failed,) = hear_all(worker)
    assert isinstance(failed, Failed)
    assert failed.message.startswith(message)
    assert failed.exit_code == code
    worker.process.join(PATIENCE_SECONDS)
    assert worker.process.exitcode == 1
    worker.control.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FacestreamError("the model is gone: fetch it"), "the model is gone: fetch it"),
        (KeyError(31), "KeyError: 31 (test_worker_errors.py, line "),
        (MemoryError(), "MemoryError (test_worker_errors.py, line "),
        (ValueError("latin\udce9.mp4"), "ValueError: latin\\udce9.mp4 (test_worker_errors.py, line "),
    ],
)
def test_an_error_is_a_sentence_that_can_be_sent(error, words):
    with pytest.raises(type(error)) as caught:
        raise error
    assert error_words(caught.value).startswith(words)
    CODEC.encode(Failed("decode-1", error_words(caught.value), 1))


def printing_body(context: WorkerContext) -> None:
    context.ready()
    print("a library says hello")  # noqa: T201
    warnings.warn("a warning of Python", stacklevel=1)
    logging.getLogger("some.library").warning("nobody has set up logging")
    os.write(2, b"\x1b[0;93mbelow Python\x1b[m\n")
    os.write(1, b"no line break at the end")


def test_what_a_child_prints_comes_to_its_parent(capfd: pytest.CaptureFixture[str]):
    """It went to the terminal, past the log of the run."""
    worker = start_worker("printing", printing_body, codec=CODEC)
    hear_all(worker)
    worker.process.join(PATIENCE_SECONDS)
    lines = worker.text.read()
    assert {"a library says hello", "nobody has set up logging", "below Python"} <= set(lines)
    assert any(line.endswith("UserWarning: a warning of Python") for line in lines)
    assert lines[-1] == "no line break at the end"
    assert not worker.text.is_open
    assert capfd.readouterr() == ("", "")
    worker.close()


def hungry_body(context: WorkerContext) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    while True:
        held.append(os.dup(1))


def test_a_child_without_descriptors_says_so_in_one_sentence():
    worker = start_worker("hungry", hungry_body, codec=CODEC)
    (failed,) = hear_all(worker)
    assert isinstance(failed, Failed)
    assert failed.fatal
    assert failed.message.startswith(
        "the worker hungry cannot go on: it has 64 open files, as many as one process may have here: "
    )
    assert "ulimit -n 128" in failed.message
    worker.close()
