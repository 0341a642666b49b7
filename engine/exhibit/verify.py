"""Compares an output directory with its chain: what was changed, taken away or put in since it was written.

A chain without a signature shows every change that was not made together with the chain. Who can write the directory can make a
whole other chain: what shows that is a signature, or the hash of a head that was kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

from engine.archive.chain import CHAIN, Block, last_line
from engine.archive.chain_cuts import has_chain, in_words
from engine.archive.comparison import Compared, compare
from engine.archive.pieces import CORRECTIONS, LINED
from engine.archive.reader import recorded
from engine.archive.record import settings
from engine.archive.vector_files import row_bytes
from engine.contracts.hash_chain import hash_of
from engine.errors import MissingResultError, PublishError
from engine.exhibit.beside import look_beside
from engine.exhibit.blocks import ChainReader
from engine.exhibit.payloads import check_payloads
from engine.exhibit.rules import too_young
from engine.exhibit.verdict import Fault, Verdict
from engine.words.numbers import count
from engine.words.times import utc_words

__all__ = ["Fault", "Verdict", "verify"]
_TRIES = 3
_DOING = {"resume": "resuming it", "erase": "an erasure", "expire": "an expiry"}


def verify(
    directory: Path,
    public_keys: Collection[str] = (),
    holds: str = "",
    progress: Callable[[float], None] = lambda share: None,
) -> Verdict:
    """Read a run's directory from its beginning to its end; nothing is changed.

    Args:
        directory: of a run, which may go on: what is newest no block vouches for yet.
        public_keys: 64 hexadecimal digits each: every block must be signed by one of them. None: by that of the first block, if
            it is signed.
        holds: a ``head`` of an earlier verdict, which the chain must still have.
        progress: called with the share of the records whose pictures were looked at, 0 to 1.

    Raises:
        MissingResultError: there is no such directory, or it holds nothing of a run.
        PublishError: it cannot be read.
    """
    if not directory.is_dir():
        raise MissingResultError(f"{directory} is not a directory: name the output directory of a run")
    if not any((directory / name).exists() for name in ("run.json", CHAIN, *LINED)):
        raise MissingResultError(f"{directory} is not the output directory of a run: it holds neither run.json nor {CHAIN}")
    for _ in range(_TRIES):
        verdict = _once(directory, public_keys, holds, progress)
        if verdict.is_whole or not _goes_on(directory, verdict):
            break
    return verdict


def _goes_on(directory: Path, verdict: Verdict) -> bool:
    """Whether the chain has grown meanwhile: what did not fit may be of a run that was writing."""
    line = last_line(directory)
    return bool(line) and hash_of(line) != verdict.head


def _once(directory: Path, public_keys: Collection[str], holds: str, progress: Callable[[float], None]) -> Verdict:
    verdict = Verdict(str(directory))
    try:
        if not has_chain(directory):
            why = "is missing: the run was written by a version that made none, or it was removed"
            verdict.faults.append(Fault(CHAIN, why))
            return verdict
        reader = ChainReader(verdict, public_keys, holds)
        reader.read(directory)
        if reader.is_broken or reader.last is None:
            verdict.notes.append("the chain is broken, so the files were not compared with it")
        else:
            _compare(directory, reader, verdict, progress)
    except OSError as error:
        raise PublishError(f"cannot read {directory}: {error.strerror}") from error
    verdict.faults.sort(key=lambda fault: (fault.block if fault.block >= 0 else 1 << 60, fault.file, fault.line))
    return verdict


def _compare(directory: Path, reader: ChainReader, verdict: Verdict, progress: Callable[[float], None]) -> None:
    told = compare(directory, reader.ledger)
    going = _unfinished(reader, verdict)
    for name, compared in told.items():
        _differences(name, compared, reader, verdict, going)
        _tail(directory / name, compared, reader, verdict)
    has_come = any(each.tail for name, each in told.items() if name != CORRECTIONS)
    _run_json(directory, reader, verdict, going, has_come=has_come)
    _signed_as_told(directory, verdict)
    check_payloads(directory, reader.ledger, told, verdict, progress)
    look_beside(directory, verdict)


def _unfinished(reader: ChainReader, verdict: Verdict) -> str:
    """Return what was about to cut the directory when it was killed; empty: nothing was."""
    last = reader.last
    if last is None or last.kind != "found" or last.why not in _DOING:
        return ""
    verdict.notes.append(
        f"{_DOING[last.why]} was begun at {utc_words(last.at_ns)} and not finished: do it again, then this can say more"
    )
    return last.why


def _differences(name: str, compared: Compared, reader: ChainReader, verdict: Verdict, going: str) -> None:
    held, times = reader.ledger.files.get(name), reader.ledger.times
    verdict.pieces += (len(held) if held else 0) - compared.skipped
    for one in compared.differences:
        verdict.pieces -= 0 if one.what == "put in" else one.count
        if going and one.what in ("missing", "emptied"):
            continue
        at_ns = times[one.block] if one.block < len(times) else 0
        verdict.faults.append(Fault(name, in_words(one), at_ns, one.block, 0 if name.endswith(".f32") else one.piece))
    if compared.skipped and held is not None and held.emptied_by is not None:
        newest, went = held.blocks[compared.skipped - 1], held.emptied_by
        if why := too_young(went.keep, times[max(0, newest - 1)], went.at_ns):
            what = f"its first {count(compared.skipped, 'line')} went at {utc_words(went.at_ns)}, which was no retention: {why}"
            verdict.faults.append(Fault(name, what, times[newest], newest))
        else:
            verdict.notes.append(f"{name}: retention has deleted its first {count(compared.skipped, 'line')}")


def _tail(path: Path, compared: Compared, reader: ChainReader, verdict: Verdict) -> None:
    """Say what stands behind the last piece that a block vouches for."""
    name, behind = path.name, len(compared.tail)
    kind = "vector" if row_bytes(name) else "line"
    held = reader.ledger.files.get(name)
    if behind and name == CORRECTIONS:
        verdict.notes.append(f"{name}: no block vouches for its last {count(behind, 'line')}")
    elif behind and reader.ledger.is_open:
        verdict.notes.append(
            f"{name}: no block vouches for its last {count(behind, kind)} yet, as the run goes on or was killed"
        )
    elif behind:
        verdict.faults.append(Fault(name, f"{count(behind, f'{kind} was', f'{kind}s were')} added after the end of the run"))
    elif held is not None and not compared.differences and path.is_file() and path.stat().st_size != held.size_bytes:
        what = f"has {path.stat().st_size} bytes, and had {held.size_bytes}"
        if reader.ledger.is_open and path.stat().st_size > held.size_bytes:
            verdict.notes.append(f"{name} ends in a piece that was never finished, as after a kill")
        else:
            verdict.faults.append(Fault(name, what, reader.ledger.times[-1], len(reader.ledger.times) - 1))


def _signed_as_told(directory: Path, verdict: Verdict) -> None:
    """Where the settings name a key, the chain must be signed: else somebody has made it anew without."""
    output = settings(recorded(directory), "output")
    if output.get("sign") and not verdict.keys:
        verdict.faults.append(
            Fault(CHAIN, "is not signed, but run.json says that the run had a key: it was replaced by one without")
        )


def _nothing_came_since(block: Block, reader: ChainReader) -> bool:
    """Whether no line came after a block; a resume that was killed, too, may have looked at the files and cut them."""
    later = [one for one in reader.blocks if one.number > block.number]
    is_quiet = all(one.kind in ("found", "cut") and not one.pieces for one in later)
    return is_quiet and reader.last is (later[-1] if later else block)


def _run_json(directory: Path, reader: ChainReader, verdict: Verdict, going: str, *, has_come: bool) -> None:
    """Say how run.json fits; ``has_come``: lines stand behind the last block, and none does before run.json is written."""
    path, ledger = directory / "run.json", reader.ledger
    is_file = path.is_file() and not path.is_symlink()
    now = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else ""
    if now == ledger.run or (going and is_file):
        return
    told = [block for block in reader.blocks if block.run]
    block = told[-1] if told else None
    at_ns, number = (block.at_ns, block.number) if block else (0, -1)
    if now == ledger.run_before and block is not None and _nothing_came_since(block, reader) and not has_come:
        verdict.notes.append(
            f"run.json is {'the one before' if now else 'not there, as before'} block {number} ({utc_words(at_ns)}): the run "
            "was killed between the two, or somebody put it back"
        )
    else:
        what = "it was changed, or later blocks were removed" if ledger.is_open else "it was changed"
        verdict.faults.append(Fault("run.json", what if is_file else "it is missing", at_ns, number))
