"""Wrong tokens are few: whoever shows more of them waits, and the log does not fill."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_PER_ADDRESS, _IN_ALL, _SECONDS = 10, 100, 60.0
_MOST_ADDRESSES = 4096


@dataclass
class _Bucket:
    """Fills with one drop an attempt, and runs dry evenly in a minute."""

    level: float = 0.0
    at: float = 0.0

    def now(self, now: float, size: int) -> float:
        self.level = max(0.0, self.level - (now - self.at) * size / _SECONDS)
        self.at = now
        return self.level


class Attempts:
    """Counts wrong tokens, by address and in all, in bounded memory.

    An address that has shown too many is not heard for a while, nor is a new one where all addresses together have: not even
    with a right one, as else there would be no end of guesses. From an address that has shown a right one before, right ones
    are always heard: a whole house may stand behind it, with one who guesses, and nobody who is at work is locked out.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._all = _Bucket()
        self._wrong: OrderedDict[str, _Bucket] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()

    def wait_seconds(self, address: str, *, fits: bool) -> float:
        """Return how long this address is not heard with what it shows, which fits or does not; 0: it is."""
        place, now = _place(address), self._now()
        if fits and place in self._right:
            return 0.0
        bucket = self._wrong.get(place)
        level = bucket.now(now, _PER_ADDRESS) if bucket else 0.0
        if level > _PER_ADDRESS - 1:
            return (level - _PER_ADDRESS + 1) * _SECONDS / _PER_ADDRESS
        in_all = self._all.now(now, _IN_ALL)
        if in_all > _IN_ALL - 1 and place not in self._right:
            return (in_all - _IN_ALL + 1) * _SECONDS / _IN_ALL
        return 0.0

    def wrong(self, address: str) -> None:
        """Note a wrong token."""
        place, now = _place(address), self._now()
        bucket = self._wrong.setdefault(place, _Bucket(at=now))
        for one, size in ((bucket, _PER_ADDRESS), (self._all, _IN_ALL)):
            one.level = one.now(now, size) + 1
        self._wrong.move_to_end(place)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Note a right one."""
        place = _place(address)
        self._right[place] = None
        self._right.move_to_end(place)
        while len(self._right) > _MOST_ADDRESSES:
            self._right.popitem(last=False)


def _place(address: str) -> str:
    """Return what counts as one address: of IPv6 a whole network of 64 bits, which one machine may have to itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
