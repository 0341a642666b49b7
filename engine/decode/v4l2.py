"""Reads cameras of this machine (V4L2) with OpenCV, if FFmpeg was built without its own reader for them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from fractions import Fraction
from typing import Any, Protocol

import av
import cv2

from engine.contracts.camera import Camera
from engine.contracts.frames import Uint8
from engine.decode.camera_errors import device_failure, explain_end
from engine.decode.packet_reader import Opened, Reader

_QUERY_CAPABILITIES = 0x80685600
"""VIDIOC_QUERYCAP of Linux's ``videodev2.h``."""
_CAPABILITY_BYTES = 104
_CAPTURES = 0x1 | 0x1000
_HAS_DEVICE_CAPABILITIES = 0x80000000
_MICROSECONDS = Fraction(1, 1_000_000)
_HIGHEST_RATE = 1000


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there was a picture, and the picture: (height, width, 3) BGR or (height, width) grey, uint8."""

    def get(self, prop: int) -> float: ...

    def release(self) -> None: ...


class DeviceReader(Reader):
    """Reads pictures instead of packets."""

    def _read(self) -> None:
        camera = self._camera
        number = check_device(camera.url)
        if number:
            raise device_failure(camera, number)
        capture = open_capture(camera)
        if capture is None:
            raise device_failure(camera, errno.EBUSY)
        try:
            self._pictures(capture)
        finally:
            capture.release()

    def _pictures(self, capture: Capture) -> None:
        rate = capture.get(cv2.CAP_PROP_FPS)
        known = Fraction(rate).limit_denominator(1001) if 0 < rate <= _HIGHEST_RATE else None
        start = time.monotonic_ns()
        while not self._stopped.is_set():
            there, picture = capture.read()
            if not there:
                # A device that exists but gives no first picture is in use by another program.
                raise explain_end(self._camera, None, False) if self.opened else device_failure(self._camera, errno.EBUSY)
            if self.opened is None:
                self.opened = Opened(None, _MICROSECONDS, known)
            self._arrived(as_frame(picture, (time.monotonic_ns() - start) // 1000), True, picture.nbytes)


def as_frame(picture: Uint8, microseconds: int) -> av.VideoFrame:
    """Return a picture, (height, width, 3) BGR or (height, width[, 1]) grey, as a frame with a time stamp."""
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[:, :, 0]
    frame = av.VideoFrame.from_ndarray(picture, "gray" if picture.ndim == 2 else "bgr24")
    frame.pts, frame.time_base = microseconds, _MICROSECONDS
    return frame


def check_device(path: str) -> int:
    """Return 0 if ``path`` is a video capture device, otherwise the system's error number."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return error.errno or errno.ENODEV
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            return errno.ENOTTY
        answer = fcntl.ioctl(descriptor, _QUERY_CAPABILITIES, bytes(_CAPABILITY_BYTES))
    except OSError as error:
        return error.errno or errno.ENOTTY
    finally:
        os.close(descriptor)
    general, device = struct.unpack_from("=II", answer, 84)
    captures = (device if general & _HAS_DEVICE_CAPABILITIES else general) & _CAPTURES
    return 0 if captures else errno.ENOTTY


def open_capture(camera: Camera) -> Capture | None:
    """Open a device with ``video_size``, ``framerate`` and ``input_format`` of its options; None if that fails."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(camera.url, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        return None
    options = camera.options
    if code := options.get("input_format", "").upper():
        capture.set(
            cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*{"MJPEG": "MJPG", "YUYV422": "YUYV"}.get(code, code)[:4].ljust(4))
        )
    width, _, height = options.get("video_size", "").partition("x")
    if width.isdigit() and height.isdigit():
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, int(width))
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, int(height))
    if options.get("framerate", "").isdigit():
        capture.set(cv2.CAP_PROP_FPS, int(options["framerate"]))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
    return capture
