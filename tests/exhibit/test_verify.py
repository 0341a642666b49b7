"""Whatever is changed, taken away or put in is found, and the first of it is named."""

import importlib
import os
import random
import shutil

import pytest

from engine.archive import chain_writer
from engine.archive.chain import CHAIN, Block
from engine.contracts.hash_chain import FIRST, encode
from engine.errors import MissingResultError
from engine.exhibit import chain_status, verify
from engine.publish.numbering import Numbering
from tests.exhibit.results import faults, finished, notes, sink, write_some


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_writer, "SEAL_SECONDS", 0.0)
        return finished(tmp_path_factory.mktemp("made") / "result")


@pytest.fixture
def result(made, tmp_path):
    return shutil.copytree(made, tmp_path / "result")


def line(path, number):
    return path.read_bytes().splitlines(keepends=True)[number - 1]


def rewrite(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


def test_a_result_is_as_it_was_written(result):
    found = verify(result)
    assert (found.faults, found.notes) == ([], [])
    assert (found.pieces, found.pictures, found.outcome, found.attempts) == (18, 16, "completed", ["run1"])
    assert chain_status(result).sentence == "as it was written, by its own hashes; nobody has signed it"


def test_a_flip_of_any_bit_is_found(result):
    chance = random.Random(19)
    files = [path for path in sorted(result.rglob("*")) if path.is_file()]
    for _ in range(100):
        path = chance.choice(files)
        whole = path.read_bytes()
        at, bit = chance.randrange(len(whole)), chance.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        found = faults(result)
        assert found, (path, at, bit)
        assert str(path.relative_to(result)) in found[0], "it is named first"
        path.write_bytes(whole)
    assert faults(result) == []


def test_each_file_is_looked_at_to_its_last_bit(result):
    for path in [path for path in sorted(result.rglob("*")) if path.is_file()]:
        whole = path.read_bytes()
        for at in (0, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert faults(result), (path, at)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b"known", b"nobdy"), *lines[3:]], "line 3 was changed"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3 is missing"),
        (lambda lines: [*lines[:2], *lines[4:]], "lines 3 to 4 are missing"),
        (lambda lines: [*lines[:2], lines[5], *lines[2:]], "lines 3 to 5"),
        (lambda lines: [*lines[:2], b"{}\n", *lines[2:]], "line 3 was put in"),
        (lambda lines: [*lines, lines[0]], "1 line was added after the end"),
        (lambda lines: [*lines[:-1]], "line 6 is missing"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1"),
        (lambda lines: [], "lines 1 to 6 are missing"),
    ],
)
def test_the_line_is_named(result, change, said):
    rewrite(result / "faces.jsonl", change)
    assert said in faults(result)[0]
    assert faults(result)[0].startswith("faces.jsonl: ")


def test_a_picture_is_named_with_its_line(result):
    (result / "faces/cam1/1/000001_original.jpg").unlink()
    (result / "faces/cam1/2/000004_enhanced.jpg").write_bytes(b"another")
    first, second = faults(result)
    assert first.startswith("faces/cam1/1/000001_original.jpg: it is missing (faces.jsonl, line 2), and no retention has")
    assert "(vouched for by block " in first
    assert second.startswith("faces/cam1/2/000004_enhanced.jpg: it was changed (faces.jsonl, line 5)")


def test_a_picture_that_is_a_link_is_missing(result):
    path = result / "faces/cam1/1/000001_original.jpg"
    path.rename(result.parent / "elsewhere.jpg")
    os.symlink(result.parent / "elsewhere.jpg", path)
    assert "it is missing" in faults(result)[0]


def test_vectors_are_named_by_their_number(result):
    path = result / "embeddings_128.f32"
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * 512] + bytes(512) + whole[3 * 512 :])
    assert faults(result)[0].startswith("embeddings_128.f32: vector 3 was emptied")
    path.write_bytes(whole[:-512])
    assert faults(result)[0].startswith("embeddings_128.f32: vector 8 is missing")
    path.write_bytes(whole + bytes(10))
    assert faults(result)[0].startswith("embeddings_128.f32: has 4106 bytes, and had 4096")


def test_blocks_may_not_be_changed_moved_or_taken_away(result):
    path = result / CHAIN
    whole = path.read_bytes()
    rewrite(path, lambda lines: [*lines[:3], *lines[4:]])
    assert faults(result)[0].startswith("chain.jsonl: line 4 is block 4: blocks before it were removed")
    path.write_bytes(whole)
    rewrite(path, lambda lines: [*lines[:3], lines[3].replace(b'"at_ns":1', b'"at_ns":2'), *lines[4:]])
    assert faults(result)[0].startswith("chain.jsonl: line 4 was changed")
    path.write_bytes(whole)
    rewrite(path, lambda lines: lines[:-3])
    assert faults(result)[0].startswith("run.json: it was changed, or later blocks were removed")
    path.unlink()
    assert faults(result) == ["chain.jsonl: is missing: the run was written by a version that made none, or it was removed"]


def first_block(result):
    return line(result / CHAIN, 1)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (lambda result: b"", "chain.jsonl: holds no complete block: it was emptied or cut, or the run was killed"),
        (lambda result: first_block(result)[:50], "chain.jsonl: holds no complete block: it was emptied or cut"),
        (lambda result: bytes(500), "chain.jsonl: holds no complete block: it was emptied or cut"),
        (lambda result: b"\n", "chain.jsonl: line 1 was changed: it is not as it was written"),
        (first_block, "run.json: it was changed, or later blocks were removed"),
        (lambda result: first_block(result) + line(result / CHAIN, 2)[:-9], "run.json: it was changed, or later blocks"),
    ],
)
def test_what_is_left_of_a_chain_vouches_for_nothing_more(result, left, said):
    (result / CHAIN).write_bytes(left(result))
    assert faults(result)[0].startswith(said)
    assert chain_status(result).sentence.startswith("not as it was written: ")


def test_a_directory_whose_texts_are_all_empty_is_not_as_it_was_written(result):
    for path in result.glob("*.json*"):
        path.write_bytes(b"")
    assert faults(result)[0].startswith("chain.jsonl: holds no complete block")
    (result / "run.json").unlink()
    assert faults(result)[0].startswith("chain.jsonl: holds no complete block")


def test_an_empty_run_json_is_told(result):
    (result / "run.json").write_bytes(b"")
    assert faults(result)[0].startswith("run.json: it was changed")


def test_run_json_was_there_before_the_first_line(result):
    (result / CHAIN).write_bytes(first_block(result))
    (result / "run.json").unlink()
    assert faults(result)[0].startswith("run.json: it is missing")


def test_the_chain_of_another_run_does_not_fit(result, tmp_path):
    other = finished(tmp_path / "other")
    for name in (CHAIN, "run.json"):
        shutil.copy(other / name, result / name)
        assert any(told.startswith("stream.jsonl: line 1 was changed") for told in faults(result))


def test_a_chain_that_was_made_anew_has_another_head(result, tmp_path):
    head = verify(result).head
    assert faults(result, holds=head) == []
    other = finished(tmp_path / "other")
    assert "no block has the hash" in faults(other, holds=head)[0]


def test_what_is_derived_and_what_nobody_knows_is_said(result):
    (result / "report.html").write_text("<p>")
    (result / "notes.txt").write_text("mine")
    (result / "faces/cam1/1/more.jpg").write_bytes(b"?")
    assert faults(result) == []
    assert notes(result) == [
        "faces: no line names one of the pictures there, so it is no part of the result, as after a kill",
        "report.html is made from the rest, and no block vouches for it: make it again to be sure of it",
        "no block vouches for notes.txt",
    ]


def test_a_run_that_goes_on_has_a_tail(tmp_path, monkeypatch):
    monkeypatch.setattr(chain_writer, "SEAL_SECONDS", 3600.0)
    written = sink(tmp_path)
    write_some(written, Numbering("run1"))
    assert faults(tmp_path) == []
    assert "faces.jsonl: no block vouches for its last 6 lines yet, as the run goes on or was killed" in notes(tmp_path)
    written.close("completed")
    assert notes(tmp_path) == []


def test_a_run_that_writes_meanwhile_is_read_again(tmp_path, monkeypatch):
    written = sink(tmp_path)
    monkeypatch.setattr(chain_writer, "SEAL_SECONDS", 0.0)

    def and_it_ends(*arguments):
        monkeypatch.undo()
        written.close("completed")
        return compare(*arguments)

    audit = importlib.import_module("engine.exhibit.verify")
    compare = audit.compare
    monkeypatch.setattr(audit, "compare", and_it_ends)
    assert faults(tmp_path) == [], "run.json was another one when it was looked at"
    assert verify(tmp_path).outcome == "completed"


def test_what_is_no_directory_is_refused(tmp_path):
    with pytest.raises(MissingResultError, match="is not a directory"):
        verify(tmp_path / "nowhere")


def test_a_block_with_a_time_that_no_clock_shows_is_a_fault(result):
    block = Block(number=0, at_ns=10**21, kind="begun", before=FIRST, version="1", run_id="x").finished(None)
    (result / CHAIN).write_bytes(encode(block))
    assert faults(result) == [f"{CHAIN}: line 1 was changed: it is not as it was written"]
