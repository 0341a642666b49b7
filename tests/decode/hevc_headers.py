"""Writes headers of H.265 with what the encoders at hand do not use (ITU-T H.265, 7.3)."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

_VIDEO, _SEQUENCE, _PICTURE, _TRAILING, _KEY = 32, 33, 34, 1, 19
_MOST_LAYERS = 6
_B, _P, _I = 0, 1, 2
Places = list[tuple[int, bool]]


class _Bits:
    """Writes one NAL unit, of what it draws."""

    def __init__(self, kind: int, draw: st.DrawFn) -> None:
        self._kind, self._draw, self._text = kind, draw, ""

    def u(self, count: int, number: int | None = None) -> int:
        number = self._draw(st.integers(0, (1 << count) - 1)) if number is None else number
        self._text += format(number, f"0{count}b") if count else ""
        return number

    def ue(self, most: int, least: int = 0) -> int:
        number = self._draw(st.integers(least, most))
        code = format(number + 1, "b")
        self._text += "0" * (len(code) - 1) + code
        return number

    def se(self, least: int, most: int) -> int:
        number = self._draw(st.integers(least, most))
        self.ue(*[2 * number - 1 if number > 0 else -2 * number] * 2)
        return number

    def unit(self) -> bytes:
        """Return it with its start code, escaped."""
        text = self._text + "1"
        text += "0" * (-len(text) % 8)
        escaped, zeros = bytearray(), 0
        for one in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros >= 2 and one <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(one)
            zeros = 0 if one else zeros + 1
        return b"\x00\x00\x00\x01" + bytes([self._kind << 1, 1]) + bytes(escaped)


@st.composite
def headers(draw: st.DrawFn) -> tuple[bytes, int]:
    """Return a packet of parameter sets and the head of a slice, and the slice's QP."""
    sequence, told = _sequence(_Bits(_SEQUENCE, draw), draw)
    picture, said = _picture(_Bits(_PICTURE, draw), told["depth"])
    is_key = draw(st.booleans())
    head, qp = _slice(_Bits(_KEY if is_key else _TRAILING, draw), told, said, is_key=is_key)
    return _video(_Bits(_VIDEO, draw)) + sequence + picture + head, qp


def _video(bits: _Bits) -> bytes:
    for count, number in ((4, 0), (2, 3), (6, 0), (3, _MOST_LAYERS), (1, 1), (16, 0xFFFF)):
        bits.u(count, number)
    _profile(bits, _MOST_LAYERS)
    bits.u(1, 0)
    for number in (15, 0, 0):
        bits.ue(number, number)
    bits.u(6, 0)
    bits.ue(0)
    bits.u(2, 0)
    return bits.unit()


def _profile(bits: _Bits, layers: int) -> None:
    for count, number in ((8, 4), (32, 1 << 27), (48, 0), (8, 120)):
        bits.u(count, number)
    told = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    bits.u(2 * (8 - layers) if layers else 0, 0)
    for profile, level in told:
        bits.u(88 * profile, 4 << 80 if profile else 0)
        bits.u(8 * level, 93 if level else 0)


def _sequence(bits: _Bits, draw: st.DrawFn) -> tuple[bytes, dict]:
    bits.u(4, 0)
    layers = bits.u(3, draw(st.integers(0, _MOST_LAYERS)))
    bits.u(1, 1)
    _profile(bits, layers)
    bits.ue(0)
    chroma = bits.ue(3)
    separate = chroma == 3 and bits.u(1)
    for side in (1920, 1080):
        bits.ue(side, side)
    if bits.u(1):
        for _ in range(4):
            bits.ue(2)
    depth = bits.ue(4)
    bits.ue(4)
    order_bits = 4 + bits.ue(12)
    for _ in range(layers + 1 if bits.u(1) else 1):
        bits.ue(15, 15)
        bits.ue(0)
        bits.ue(0)
    for size in (0, 3, 0, 3, 2, 2):  # blocks of 8 to 64, transforms of 4 to 32
        bits.ue(size, size)
    if bits.u(1) and bits.u(1):
        _scaling(bits)
    bits.u(1)
    offsets = bits.u(1)
    if bits.u(1):
        bits.u(8, 0x77)
        bits.ue(0)
        bits.ue(2)
        bits.u(1)
    sets: list[Places] = []
    for index in range(count := bits.ue(4)):
        sets.append(_references(bits, index, count, sets))
    long_term = None
    if bits.u(1):
        long_term = [(bits.u(order_bits), bits.u(1))[1] for _ in range(bits.ue(5))]
    motion = bits.u(1)
    bits.u(3, 0)
    colour = chroma > 0 and not separate
    return bits.unit(), {
        "colour": colour, "separate": separate, "depth": depth, "order_bits": order_bits, "offsets": offsets, "sets": sets,
        "long_term": long_term, "motion": motion,
    }  # fmt: skip


def _picture(bits: _Bits, depth: int) -> tuple[bytes, dict]:
    bits.ue(0)
    bits.ue(0)
    bits.u(1, 0)
    said: dict = {"output": bits.u(1), "extra": bits.u(3)}
    bits.u(1)
    said |= {"cabac": bits.u(1), "listed": (bits.ue(14) + 1, bits.ue(14) + 1), "start": bits.se(-26 - 6 * depth, 25) + 26}
    bits.u(2)
    if bits.u(1):
        bits.ue(2)
    bits.se(-12, 12)
    bits.se(-12, 12)
    said |= {"offsets": bits.u(1), "weighted": (bits.u(1), bits.u(1))}
    bits.u(1, 0)
    said |= {"tiles": bits.u(1), "rows": bits.u(1)}
    if said["tiles"]:
        across, down = bits.ue(3, 1), bits.ue(3)
        if not bits.u(1):
            for _ in range(across + down):
                bits.ue(2)
        bits.u(1)
    said |= {"across": bits.u(1), "override": 0, "unfiltered": 0}
    if bits.u(1):
        said |= {"override": bits.u(1), "unfiltered": bits.u(1)}
        if not said["unfiltered"]:
            bits.se(-6, 6)
            bits.se(-6, 6)
    if bits.u(1):
        _scaling(bits)
    said["reorders"] = bits.u(1)
    bits.ue(0)
    bits.u(2, 0)
    return bits.unit(), said


def _slice(bits: _Bits, told: dict, said: dict, *, is_key: bool) -> tuple[bytes, int]:
    bits.u(1, 1)
    if is_key:
        bits.u(1)
    bits.ue(0)
    bits.u(said["extra"])
    kind = bits.ue(_I, _I if is_key else _B)
    bits.u(said["output"])
    bits.u(2 * told["separate"], 0)
    used, motion = 0, 0
    if not is_key:
        used = _chosen(bits, told)
        motion = bits.u(1) if told["motion"] else 0
    smooth = [bits.u(1) for _ in range(1 + told["colour"] if told["offsets"] else 0)]
    if kind != _I:
        lists = list(said["listed"])
        if bits.u(1):
            lists = [bits.ue(14) + 1, bits.ue(14) + 1 if kind == _B else 0]
        lists = lists if kind == _B else lists[:1]
        if said["reorders"] and used > 1:
            for count in lists:
                for _ in range(count if bits.u(1) else 0):
                    bits.u((used - 1).bit_length(), 0)
        bits.u((kind == _B) + said["cabac"])
        if motion:
            place = 1 - bits.u(1) if kind == _B else 0
            if lists[place] > 1:
                bits.ue(lists[place] - 1)
        if said["weighted"][kind == _B]:
            _weights(bits, lists, told["colour"])
        bits.ue(4)
    qp = said["start"] + bits.se(-6 * told["depth"] - said["start"], 51 - said["start"])
    if said["offsets"]:
        bits.se(0, 0)
        bits.se(0, 0)
    if said["override"]:
        bits.u(1, 0)
    if said["across"] and (any(smooth) or not said["unfiltered"]):
        bits.u(1)
    if said["tiles"] or said["rows"]:
        bits.ue(0)
    return bits.unit() + b"\x55" * 8, qp


def _chosen(bits: _Bits, told: dict) -> int:
    """Write which pictures a slice refers to, and return how many it may use."""
    bits.u(told["order_bits"])
    sets: list[Places] = told["sets"]
    if sets and bits.u(1):
        places = sets[bits.u((len(sets) - 1).bit_length(), 0)] if len(sets) > 1 else sets[0]
    else:
        if not sets:
            bits.u(1, 0)
        places = _references(bits, len(sets), len(sets), sets)
    used = sum(is_used for _, is_used in places)
    if told["long_term"] is not None:
        known = told["long_term"]
        from_known = bits.ue(min(2, len(known))) if known else 0
        for number in range(from_known + bits.ue(2)):
            if number >= from_known:
                bits.u(told["order_bits"])
                used += bits.u(1)
            else:
                bits.u((len(known) - 1).bit_length(), len(known) - 1)
                used += known[-1]
            if bits.u(1):
                bits.ue(2)
    return used


def _references(bits: _Bits, index: int, count: int, sets: Sequence[Places]) -> Places:
    if index and bits.u(1):
        base = sets[index - 1 - (bits.ue(index - 1) if index == count else 0)]
        sign = -1 if bits.u(1) else 1
        shift, kept = sign * (bits.ue(3) + 1), []
        for place in [place for place, _ in base] + [0]:
            used = bits.u(1)
            if (used or bits.u(1)) and place + shift:
                kept.append((place + shift, bool(used)))
        before = sorted((one for one in kept if one[0] < 0), reverse=True)
        return before + sorted(one for one in kept if one[0] > 0)
    found: Places = []
    for sign, many in [(-1, bits.ue(3)), (1, bits.ue(2))]:
        place = 0
        for _ in range(many):
            place += sign * (bits.ue(2) + 1)
            found.append((place, bool(bits.u(1))))
    return found


def _weights(bits: _Bits, lists: Sequence[int], colour: bool) -> None:
    denominator = bits.ue(7)
    if colour:
        bits.se(-denominator, 7 - denominator)
    for count in lists:
        bright = [bits.u(1) for _ in range(count)]
        coloured = [bits.u(1) if colour else 0 for _ in range(count)]
        for number in range(count):
            for _ in range(2 * bright[number] + 4 * coloured[number]):
                bits.se(-60, 60)


def _scaling(bits: _Bits) -> None:
    for size in range(4):
        for matrix in range(0, 6, 3 if size == 3 else 1):
            if not bits.u(1):
                bits.ue(matrix // 3 if size == 3 else matrix)
                continue
            if size > 1:
                bits.se(-7, 7)
            for _ in range(min(64, 16 << 2 * size)):
                bits.se(1, 1)
