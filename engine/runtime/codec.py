"""Messages as bytes: small fields as MessagePack, arrays beside it, so that no pixel is copied on its way to the pipe."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class _Aside(list[Array]):
    """The arrays of one message."""

    size_bytes = 0


class _Arrays(threading.local):
    """Those of the message that this thread encodes or decodes."""

    def __init__(self) -> None:
        self.out = _Aside()
        self.source: memoryview | bytes = b""


_arrays = _Arrays()


class Codec:
    """Encodes and decodes the messages of one application.

    Args:
        types: tagged ``msgspec.Struct`` types; arrays anywhere in them travel as they are.
    """

    def __init__(self, types: Sequence[type[msgspec.Struct]]) -> None:
        self._types = tuple(types)
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_lay_aside)
        self._decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(reduce(or_, self._types), dec_hook=_take_up)

    def __reduce__(self) -> tuple[Any, ...]:
        return Codec, (self._types,)

    def encode(self, message: msgspec.Struct) -> tuple[bytes, list[Array], int]:
        """Return the fields, the arrays that belong behind them, which are not copied if they are contiguous, and the bytes of
        the arrays."""
        arrays = _arrays.out = _Aside()
        return self._encoder.encode(message), arrays, arrays.size_bytes

    def decode(self, fields: memoryview | bytes, arrays: memoryview | bytes) -> Any:
        """Return the message; its arrays are views of ``arrays``.

        Raises:
            msgspec.ValidationError: the bytes are no message of these types.
        """
        _arrays.source = arrays
        return self._decoder.decode(fields)


def _lay_aside(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"{type(value).__name__} cannot be part of a message")
    array = value if value.flags.c_contiguous else np.ascontiguousarray(value)
    aside = _arrays.out
    place = aside.size_bytes
    aside.append(array)
    aside.size_bytes = place + array.nbytes
    return place, array.dtype.char, array.shape


def _take_up(kind: type, value: Any) -> Array:
    place, dtype, shape = value
    return np.ndarray(shape, dtype, _arrays.source, place)
