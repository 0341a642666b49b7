"""On the path of a run, this lets recordings break their decoder in its fourth item: in the way that their names begin with.

Python imports a module of this name when it starts, in the processes of the run too.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

_AT = 3


def _raise(path: Path) -> None:
    raise KeyError(31)


def _memory(path: Path) -> None:
    raise MemoryError


def _crash(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _abort(path: Path) -> None:
    os.abort()


def _killed(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_once(path: Path) -> None:
    mark = path.with_suffix(".killed")
    if not mark.exists():
        mark.touch()
        _killed(path)


def _leave(path: Path) -> None:
    os._exit(0)


def _hang(path: Path) -> None:
    time.sleep(600)


def _vanish(path: Path) -> None:
    path.unlink(missing_ok=True)


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


FAULTS: dict[str, Callable[[Path], None]] = {
    "raises": _raise, "memory": _memory, "crashes": _crash, "aborts": _abort, "killed": _killed, "once": _killed_once,
    "leaves": _leave, "hangs": _hang, "vanishes": _vanish, "shrinks": _shrink,
}  # fmt: skip


class _Finder:
    """Hooks the import of the decoder."""

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        if name != "engine.decode.decoder":
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_break(module: ModuleType) -> None:
            load(module)
            _break(module.Decoder)

        spec.loader.exec_module = load_and_break
        return spec


def _break(decoder: type) -> None:
    make, iterate = decoder.__init__, decoder.__iter__

    def remember(self: object, name: str, path: Path, *rest: object) -> None:
        self.broken_path = path
        make(self, name, path, *rest)

    def items(self: object) -> Iterator[object]:
        fault = next((act for word, act in FAULTS.items() if self.broken_path.name.startswith(word)), None)
        for place, item in enumerate(iterate(self)):
            if place == _AT and fault is not None:
                fault(self.broken_path)
            yield item

    decoder.__init__, decoder.__iter__ = remember, items


sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
