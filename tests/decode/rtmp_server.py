"""An RTMP server of a few lines for one viewer after the other: it says yes to everything, and sends a clip."""

from __future__ import annotations

import io
import socket
import struct
import time
from collections.abc import Iterator
from fractions import Fraction

import av

from tests.decode.byte_server import Answer
from tests.rtsp.clips import Clip

_HANDSHAKE = 1536
_CHUNK_SIZE, _COMMAND, _VIDEO = 1, 20, 9
_CHUNK_BYTES = 1 << 20


def rtmp(clip: Clip, pictures: int = 100, speed: float = 1.0) -> Answer:
    """Answer a viewer, and send so many pictures in real time; the connection stays open then."""

    def answer(connection: socket.socket) -> None:
        _receive(connection, 1 + _HANDSHAKE)
        connection.sendall(b"\3" + bytes(2 * _HANDSHAKE))
        _receive(connection, _HANDSHAKE)
        connection.recv(65536)  # connect
        connection.sendall(_message(_CHUNK_SIZE, struct.pack(">I", _CHUNK_BYTES)))
        connection.sendall(_message(_COMMAND, _text("_result") + _number(1) + b"\5" + _status("NetConnection.Connect.Success")))
        _receive_until(connection, b"createStream")
        connection.sendall(_message(_COMMAND, _text("_result") + _number(2) + b"\5" + _number(1)))
        _receive_until(connection, b"play")
        connection.sendall(_message(_COMMAND, _text("onStatus") + _number(0) + b"\5" + _status("NetStream.Play.Start")))
        start = time.monotonic()
        for milliseconds, body in _video(clip, pictures):
            time.sleep(max(0.0, start + milliseconds / 1000 / speed - time.monotonic()))
            connection.sendall(_message(_VIDEO, body, milliseconds, 1))

    return answer


def _receive(connection: socket.socket, size: int) -> None:
    while size:
        size -= len(_piece(connection, size))


def _receive_until(connection: socket.socket, word: bytes) -> None:
    data = b""
    while word not in data:
        data += _piece(connection, 65536)


def _piece(connection: socket.socket, most: int) -> bytes:
    if not (piece := connection.recv(most)):
        raise ConnectionResetError("the viewer has left")
    return piece


def _message(kind: int, body: bytes, milliseconds: int = 0, stream: int = 0) -> bytes:
    """Return a message whose chunks are larger than it is; the first one, which says so, is small."""
    head = milliseconds.to_bytes(3, "big") + len(body).to_bytes(3, "big") + bytes([kind]) + stream.to_bytes(4, "little")
    return (b"\2" if kind == _CHUNK_SIZE else b"\3") + head + body


def _text(text: str) -> bytes:
    return b"\2" + struct.pack(">H", len(text)) + text.encode()


def _number(number: float) -> bytes:
    return b"\0" + struct.pack(">d", number)


def _status(code: str) -> bytes:
    fields = {"level": "status", "code": code}
    named = b"".join(struct.pack(">H", len(name)) + name.encode() + _text(value) for name, value in fields.items())
    return b"\3" + named + b"\0\0\t"


def _video(clip: Clip, pictures: int) -> Iterator[tuple[int, bytes]]:
    """Yield times and bodies of the video tags of an FLV file."""
    file = io.BytesIO()
    with av.open(file, "w", format="flv") as out, av.open(str(clip.path), format="h264") as source:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number in range(pictures):
            packet = av.Packet(clip.units[number % clip.frames])
            packet.stream, packet.time_base = stream, Fraction(1, clip.fps)
            packet.pts = packet.dts = number
            packet.is_keyframe = number % clip.key_every == 0
            out.mux(packet)
    data, place = file.getvalue(), 13
    while place < len(data):
        kind, size = data[place], int.from_bytes(data[place + 1 : place + 4], "big")
        if kind == _VIDEO:
            yield int.from_bytes(data[place + 4 : place + 7], "big"), data[place + 11 : place + 11 + size]
        place += 11 + size + 4
