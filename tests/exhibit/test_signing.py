"""Who has the key vouches for a result; whoever has not cannot add to it unseen."""

import hashlib
import json
import shutil

import pytest
from msgspec.structs import replace

from engine.archive.chain import CHAIN, Block
from engine.archive.chain_cuts import seal_corrections
from engine.archive.resume import reopen
from engine.config import Config, OutputConfig
from engine.contracts.hash_chain import decode, encode, hash_of
from engine.errors import ConfigError, MissingRuntimeError
from engine.exhibit import chain_status, verify
from engine.keys import signing
from engine.keys.signing import make_signing_key, public_key, signing_key
from engine.pipeline.preflight import check_before
from engine.privacy import erase
from tests.exhibit.results import faults, finished, notes, sink

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "desk.pem"
    return make_signing_key(path)[0], path


@pytest.fixture(scope="module")
def made(tmp_path_factory, key):
    return finished(tmp_path_factory.mktemp("made") / "result", sign=str(key[1]))


@pytest.fixture
def result(made, tmp_path):
    return shutil.copytree(made, tmp_path / "result")


def forged(directory, change):
    """Make the chain anew, without a key, of changed blocks."""
    before, lines = "0" * 64, []
    for line in (directory / CHAIN).read_bytes().splitlines(keepends=True):
        block = replace(change(decode(line, Block)), before=before, hash="")
        plain = encode(replace(block, signature=""))[:-1]
        lines.append(encode(replace(block, hash=hashlib.sha256(plain).hexdigest())))
        before = hash_of(lines[-1])
    (directory / CHAIN).write_bytes(b"".join(lines))


def test_a_signed_result_is_whole_and_says_by_whom(result, key):
    found = verify(result, [public_key(key[1].with_suffix(".pub"))])
    assert (found.faults, found.keys, found.signed) == ([], [key[0].public], found.blocks)
    assert chain_status(result).sentence == f"as it was written, signed with the key {key[0].public}"


def test_another_key_has_not_signed_it(result, tmp_path):
    other, _ = make_signing_key(tmp_path / "other.pem")
    assert "is signed by another key" in faults(result, other.public)[0]


def test_a_result_without_signature_is_not_of_a_key(tmp_path, key):
    finished(tmp_path / "plain")
    assert "is not signed: anybody who can write here can have made it" in faults(tmp_path / "plain", key[0].public)[0]


def test_a_chain_that_was_made_anew_without_the_key_is_found(result, key):
    forged(result, lambda block: block)
    assert faults(result) == [], "nothing was changed, so it is the same chain"
    forged(result, lambda block: replace(block, at_ns=block.at_ns + 1))
    assert "has a signature that does not match its key" in faults(result)[0]
    forged(result, lambda block: replace(block, key="", signature=""))
    assert "run.json says that the run had a key: it was replaced by one without" in faults(result)[0]
    (result / "run.json").write_text("{}")
    sha256 = hashlib.sha256(b"{}").hexdigest()
    forged(result, lambda block: replace(block, run=sha256 if block.run else ""))
    assert faults(result) == [], "all of it can be made anew by anybody, without a signature"
    assert "is not signed" in faults(result, key[0].public)[0], "which the key shows"


def test_an_erasure_without_the_key_breaks_off_and_with_it_does_not(result, key, tmp_path):
    again = shutil.copytree(result, tmp_path / "again")
    [done] = erase(["Eileen Collins"], outputs=[result]).runs
    assert (done.breaks_off, done.error) == (True, "")
    assert "that an erasure has written at" in faults(result)[0]
    [done] = erase(["Eileen Collins"], outputs=[again], who="Ada", key=key[0]).runs
    assert (done.breaks_off, done.block, faults(again, key[0].public)) == (False, verify(again).blocks - 1, [])
    last = decode((again / CHAIN).read_bytes().splitlines(keepends=True)[-1], Block)
    assert (last.who, last.why, last.hash) == ("Ada", "erase", done.head)


def test_a_signed_run_goes_on_with_a_key_only(tmp_path, key):
    sink(tmp_path, sign=str(key[1]))._close_files()
    with pytest.raises(ConfigError, match=r"is signed, so additions must be signed too: give the key \(--sign\)"):
        sink(tmp_path, resume=reopen(tmp_path))
    sink(tmp_path, resume=reopen(tmp_path), sign=str(key[1])).close("completed")
    assert faults(tmp_path, key[0].public) == []


def test_corrections_of_people_are_in_the_chain(result):
    (result / "corrections.jsonl").write_text('{"who":"Ada"}\n')
    assert notes(result) == ["corrections.jsonl: no block vouches for its last 1 line"]
    assert seal_corrections(result, "Ada")
    last = verify(result).blocks - 1  # how many there are depends on how long the run took to write
    assert (faults(result), notes(result)) == ([], [f"block {last}: corrections by Ada are not signed"])
    assert chain_status(result).unsigned_corrections == 1
    (result / "corrections.jsonl").write_text('{"who":"Bob"}\n')
    assert faults(result)[0].startswith("corrections.jsonl: line 1 was changed")


def test_without_the_package_it_is_said_in_one_sentence(result, key, monkeypatch):
    monkeypatch.setattr(signing, "can_sign", lambda: False)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[exhibit\]'"):
        signing_key(key[1])
    monkeypatch.setattr("engine.exhibit.blocks.can_sign", lambda: False)
    assert not verify(result).signatures_checked
    assert chain_status(result).sentence.endswith("(the signature was not checked here)")


def test_what_is_signed_can_be_checked_without_this_program(result, key):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for line in (result / CHAIN).read_bytes().splitlines():
        block = json.loads(line)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(block["key"]))
        public.verify(bytes.fromhex(block["signature"]), b"facestream/chain/1 " + block["hash"].encode())


def test_going_on_without_the_key_is_refused_before_models_load(tmp_path, key):
    sink(tmp_path, sign=str(key[1]))._close_files()
    config = Config(output=OutputConfig(directory=str(tmp_path), resume=True))
    with pytest.raises(ConfigError, match="is signed, so additions must be signed too"):
        check_before(config, print, is_service=True)
