"""What the parameter sets of H.265 say that is needed to read the header of a slice (ITU-T H.265, 7.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.decode.nal_units import BitReader

HEAD_BYTES = 2
"""Of a NAL unit, before its bits."""
_SCREEN_PROFILES = {9, 11}
"""Of screen content, whose slices have other headers."""
_MOST_SEQUENCES, _MOST_PICTURES, _MOST_REFERENCES = 16, 64, 16
_MOST_SETS, _MOST_LONG_TERM = 64, 32
_LONGEST_ORDER_BITS = 16
_MOST_TILES = 512
_PROFILE_BITS, _LEVEL_BITS = 88, 8


@dataclass(frozen=True)
class References:
    """The pictures that one may be predicted from: distances in order of showing, and whether it may use them itself."""

    before: tuple[tuple[int, bool], ...]
    after: tuple[tuple[int, bool], ...]

    @property
    def used(self) -> int:
        """How many of them the picture itself may use."""
        return sum(is_used for _, is_used in self.before + self.after)


@dataclass(frozen=True)
class SequenceSet:
    """Of a sequence parameter set."""

    number: int
    has_colour: bool
    separate_planes: bool
    order_bits: int
    has_offsets: bool
    """Sample adaptive offset."""
    references: tuple[References, ...]
    long_term: tuple[bool, ...] | None
    """Whether pictures may use each of them; None: there are no long-term references, not even in slices."""
    takes_motion: bool
    """Motion may be predicted from other pictures'."""


@dataclass(frozen=True)
class PictureSet:
    """Of a picture parameter set."""

    number: int
    sequence: int
    says_output: bool
    extra_bits: int
    sets_cabac: bool
    references: tuple[int, int]
    """Pictures in both lists if a slice does not say."""
    qp: int
    weighted: tuple[bool, bool]
    """P slices, B slices."""
    lossless: bool
    """Blocks may be without any quantisation."""
    reorders: bool


@lru_cache(maxsize=16)
def sequence_of(nal: bytes) -> SequenceSet:
    """Parse a unit of type 33, with its head.

    Raises:
        ValueError: it ends early, is invalid, or of a kind whose slices are not known.
    """
    reader = BitReader(nal[HEAD_BYTES:])
    reader.bits(4)
    layers = reader.bits(3)
    reader.bits(1)
    _skip_profile(reader, layers)
    number, chroma = reader.ue(_MOST_SEQUENCES - 1), reader.ue(3)
    separate = chroma == 3 and reader.flag()
    _skip(reader, 2)  # size
    if reader.flag():
        _skip(reader, 4)  # cropping
    _skip(reader, 2)  # bit depths
    order_bits = reader.ue(_LONGEST_ORDER_BITS - 4) + 4
    _skip(reader, 3 * (layers + 1 if reader.flag() else 1))
    _skip(reader, 6)  # block sizes
    if reader.flag() and reader.flag():
        _skip_scaling(reader)
    reader.bits(1)
    offsets = reader.flag()
    if reader.flag():  # uncompressed blocks
        reader.bits(8)
        _skip(reader, 2)
        reader.bits(1)
    sets: list[References] = []
    for index in range(count := reader.ue(_MOST_SETS)):
        sets.append(references_of(reader, index, count, sets))
    long_term: tuple[bool, ...] | None = None
    if reader.flag():
        long_term = tuple(bool(reader.bits(order_bits + 1) & 1) for _ in range(reader.ue(_MOST_LONG_TERM)))
    return SequenceSet(
        number, chroma > 0 and not separate, separate, order_bits, offsets, tuple(sets), long_term, reader.flag()
    )


@lru_cache(maxsize=64)
def picture_set_of(nal: bytes) -> PictureSet:
    """Parse a unit of type 34, with its head.

    Raises:
        ValueError: it ends early, or is invalid.
    """
    reader = BitReader(nal[HEAD_BYTES:])
    number, sequence = reader.ue(_MOST_PICTURES - 1), reader.ue(_MOST_SEQUENCES - 1)
    reader.bits(1)
    says_output, extra_bits = reader.flag(), reader.bits(3)
    reader.bits(1)
    sets_cabac = reader.flag()
    references = reader.ue(_MOST_REFERENCES - 2) + 1, reader.ue(_MOST_REFERENCES - 2) + 1
    qp = 26 + reader.se()
    reader.bits(2)
    if reader.flag():
        reader.ue()
    reader.se()
    reader.se()
    reader.bits(1)
    weighted = reader.flag(), reader.flag()
    lossless = reader.flag()
    tiles = reader.flag()
    reader.bits(1)
    if tiles:
        across, down = reader.ue(_MOST_TILES), reader.ue(_MOST_TILES)
        if not reader.flag():
            _skip(reader, across + down)
        reader.bits(1)
    reader.bits(1)
    if reader.flag():  # deblocking
        reader.bits(1)
        if not reader.flag():
            _skip(reader, 2)
    if reader.flag():
        _skip_scaling(reader)
    return PictureSet(number, sequence, says_output, extra_bits, sets_cabac, references, qp, weighted, lossless, reader.flag())


def references_of(reader: BitReader, index: int, count: int, sets: list[References] | tuple[References, ...]) -> References:
    """Read the references with a number, of ``count`` in the sequence: number ``count`` is a slice's own.

    Raises:
        ValueError: there are too many, or they are told by others that do not exist.
    """
    if index and reader.flag():
        from_before = 1 + (reader.ue(count - 1) if index == count else 0)
        if from_before > index:
            raise ValueError("references told by none")
        sign = -1 if reader.flag() else 1
        return _derived(reader, sets[index - from_before], sign * (reader.ue(1 << 15) + 1))
    before, after = reader.ue(_MOST_REFERENCES), reader.ue(_MOST_REFERENCES)
    if before + after > _MOST_REFERENCES:
        raise ValueError("too many references")
    return References(_listed(reader, before, -1), _listed(reader, after, 1))


def _listed(reader: BitReader, count: int, sign: int) -> tuple[tuple[int, bool], ...]:
    found, place = [], 0
    for _ in range(count):
        place += sign * (reader.ue(1 << 15) + 1)
        found.append((place, reader.flag()))
    return tuple(found)


def _derived(reader: BitReader, base: References, shift: int) -> References:
    """Read which references of another picture, moved by ``shift``, and that picture itself, are kept (7-61 and 7-62)."""
    kept: list[tuple[int, bool]] = []
    for place in [place for place, _ in base.before + base.after] + [0]:
        used = reader.flag()
        if (used or reader.flag()) and place + shift:
            kept.append((place + shift, used))
    if len(kept) > _MOST_REFERENCES:
        raise ValueError("too many references")
    before, after = (sorted((one for one in kept if sign * one[0] > 0), key=lambda one: abs(one[0])) for sign in (-1, 1))
    return References(tuple(before), tuple(after))


def _skip_profile(reader: BitReader, layers: int) -> None:
    if (reader.bits(_PROFILE_BITS) >> (_PROFILE_BITS - 8) & 31) in _SCREEN_PROFILES:
        raise ValueError("screen content")
    reader.bits(_LEVEL_BITS)
    told = [(reader.flag(), reader.flag()) for _ in range(layers)]
    if layers:
        reader.bits(2 * (8 - layers))
    for profile, level in told:
        reader.bits(_PROFILE_BITS * profile + _LEVEL_BITS * level)


def _skip_scaling(reader: BitReader) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if reader.flag():
                _skip(reader, min(64, 16 << 2 * size) + (size > 1))
            else:
                reader.ue()


def _skip(reader: BitReader, numbers: int) -> None:
    """Skip Exp-Golomb numbers, signed or not."""
    for _ in range(numbers):
        reader.ue()
