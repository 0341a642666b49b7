"""Explains errors of cameras: a reason, and one sentence that says what to do.

FFmpeg's own messages are not passed on if they may contain the URL, and its exceptions are never the cause (``from``) of ours:
they contain the URL with the password.
"""

from __future__ import annotations

import errno
import socket
from urllib.parse import urljoin, urlsplit

import av

from engine.contracts.camera import Camera
from engine.contracts.messages import Reason
from engine.decode.camera import is_http, scheme_of, server_port
from engine.decode.certificate_question import certificate_fault
from engine.decode.http_question import ask_over_http
from engine.decode.rtsp_password import unknown_to_ffmpeg
from engine.decode.rtsp_question import Answer, ask
from engine.errors import SourceError
from engine.words.redaction import redact_url

_LATE_SHARE = 0.9
"""RTSP reports a time-out as invalid data: an error after this share of the time-out counts as one."""
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.ENOTCONN}
_BUSY_STATUS = {453, 503}
_OF_ANOTHER_PLACE = {"auth", "network", "not_found", "not_a_video", "server_error", "timeout"}
"""FFmpeg's errors for a redirect to a place where nothing is, that it may not follow, or that leads in a circle."""
_DEVICE_REASONS: dict[int, tuple[Reason, str]] = {
    errno.ENOENT: ("not_found", "does not exist: plug the camera in, or see `ls /dev/video*` for its number"),
    errno.ENODEV: ("not_found", "is there but its camera is not: plug it in again"),
    errno.ENXIO: ("not_found", "is there but its camera is not: plug it in again"),
    errno.EACCES: ("permission", "may not be read: add this user to the group `video`"),
    errno.EPERM: ("permission", "may not be read: add this user to the group `video`"),
    errno.EBUSY: ("busy", "is used by another program: close that one first"),
    errno.ENOTTY: ("no_video", "is not a capture device: choose another /dev/video number"),
    errno.EINVAL: ("no_video", "is not a capture device, or refuses the options given: choose another /dev/video number"),
}


def failure(camera: Camera, reason: Reason, what: str) -> SourceError:
    """Return the error with the sentence ``<camera> <what>``."""
    return SourceError(f"{camera.shown} {what}", reason)


def explain_open(camera: Camera, error: Exception, elapsed_seconds: float, limit_seconds: float) -> SourceError:
    """Say why a camera could not be opened. May query its server once more for the reason, for at most 2 s a request.

    Args:
        error: raised by ``av.open``.
        elapsed_seconds: how long opening took.
        limit_seconds: the shortest time-out that was in force.
    """
    if camera.is_device:
        return device_failure(camera, getattr(error, "errno", None))
    late = elapsed_seconds >= _LATE_SHARE * limit_seconds
    if isinstance(error, av.error.TimeoutError | av.error.ExitError) or (late and _is_vague(error)):
        return _no_answer(camera, elapsed_seconds)
    if getattr(error, "errno", None) == errno.EIO and not _name_is_known(camera.url):
        return failure(camera, "network", "has a host name that is not known here: check its spelling, or use the IP address")
    fault = _by_status(camera, error) or _by_network(camera, error) or _by_content(camera, error)
    return _sent_on(camera, fault) or fault


def explain_end(camera: Camera, error: Exception | None, reset: bool) -> SourceError:
    """Say why an open connection gives no more packets.

    Args:
        error: raised by reading, None at the end of the stream.
        reset: the connection was reset instead of closed.
    """
    if camera.is_device:
        return device_failure(camera, getattr(error, "errno", None) or errno.ENODEV)
    if isinstance(error, av.error.TimeoutError | av.error.ExitError):
        return failure(camera, "timeout", f"has sent no picture for {camera.stall_seconds:g} s")
    if reset or isinstance(error, OSError):
        return failure(camera, "network", "cut the connection")
    if error is not None:
        return failure(camera, "network", "sent data that cannot be decoded any further")
    return failure(camera, "end_of_stream", "ended the stream")


def device_failure(camera: Camera, number: int | None) -> SourceError:
    """Return the error of a V4L2 device.

    Args:
        number: the system's error number, None if it is unknown.
    """
    reason, what = _DEVICE_REASONS.get(number or 0, ("no_video", "gives no pictures: choose another /dev/video number"))
    return failure(camera, reason, what)


def _is_vague(error: Exception) -> bool:
    return isinstance(error, av.error.InvalidDataError) or getattr(error, "errno", None) in {errno.EIO, errno.EPERM}


def _no_answer(camera: Camera, elapsed_seconds: float) -> SourceError:
    """FFmpeg may have got answers: over RTSP it follows a redirect for as long as it may, and waits behind what is no RTSP."""
    answer = _asked(camera)
    if answer.kind == "garbage":
        return _no_rtsp(camera)
    late = failure(camera, "timeout", f"did not answer within {elapsed_seconds:.1f} s: check its address, port and power")
    return _sent_on(camera, late, answer) or late


def _no_rtsp(camera: Camera) -> SourceError:
    return failure(camera, "not_a_video", "does not speak RTSP: check the port")


def _sent_on(camera: Camera, fault: SourceError, answer: Answer | None = None) -> SourceError | None:
    """Return the error of a camera that redirects its readers; None if it does not.

    Args:
        camera: could not be opened.
        fault: so it seems.
        answer: if it was asked already.
    """
    if fault.reason not in _OF_ANOTHER_PLACE:
        return None
    answer = answer or _asked(camera, with_password=fault.reason != "auth")
    if not answer.location:
        return None
    try:
        place = urljoin(camera.url, answer.location)
        if _reached_by(place) == _reached_by(camera.url):
            return failure(camera, "server_error", "sends its readers on to its own address: restart it if it does not pass")
    except ValueError:  # the given place is not an address
        return None
    what = f"sends its readers on to {redact_url(place)}: give that address, with user and password if it asks"
    return SourceError(f"{camera.shown} {what}", fault.reason)


def _reached_by(url: str) -> tuple[str, str | None, int | None, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, server_port(url), parts.path, parts.query


def _asked(camera: Camera, with_password: bool = True) -> Answer:
    scheme = scheme_of(camera.url)
    if scheme in {"rtsp", "rtsps"}:
        return ask(camera, with_password)
    return ask_over_http(camera) if is_http(camera.url) else Answer("", 0)


def _by_status(camera: Camera, error: Exception) -> SourceError | None:
    """Explain an answer with a status."""
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return _no_password(camera, error)
        case av.error.HTTPNotFoundError():
            return failure(camera, "not_found", "has no stream under this path: see the camera's manual for its paths")
        case av.error.HTTPTooManyRequestsError():
            return _busy(camera)
        case av.error.HTTPBadRequestError() | av.error.HTTPClientError() | av.error.HTTPError():
            answer = _asked(camera)
            if answer.status in _BUSY_STATUS:
                return _busy(camera)
            if answer.kind == "no_video":  # FFmpeg sends PLAY without a stream to such a server, which refuses it
                return failure(camera, "no_video", "offers no video: choose another path of it")
            told = answer.status >= 400 and answer.status != 401
            status = f"status {answer.status}" if told else (error.strerror or "").removeprefix("Server returned ")
            return failure(
                camera, "server_error", f"answers with an error of its own ({status}): restart it if it does not pass"
            )
    return None


def _no_password(camera: Camera, error: Exception) -> SourceError:
    if "@" not in urlsplit(camera.url).netloc:
        where = "in the URL, or in a file with `credentials` (--credentials)"
        return failure(camera, "auth", f"asks for a user name and password: give them {where}")
    if isinstance(error, av.error.HTTPUnauthorizedError):
        answer = _asked(camera, with_password=False)
        if unknown := unknown_to_ffmpeg(answer.asked):
            what = f"asks for the password by {unknown}, which this FFmpeg does not know: choose `digest` (MD5) in its settings"
            return failure(camera, "auth", what)
        if answer.status == 401 and not answer.asked:
            return failure(camera, "auth", "wants a password and does not say how: choose `digest` or `basic` in its settings")
    return failure(camera, "auth", "refuses the user name or password: correct them where they were given")


def _busy(camera: Camera) -> SourceError:
    return failure(camera, "busy", "has no session free: end other viewers, or raise its limit")


def _by_network(camera: Camera, error: Exception) -> SourceError | None:
    number = getattr(error, "errno", None)
    if isinstance(error, av.error.ConnectionRefusedError):
        return failure(camera, "network", "refuses the connection: check the port, and whether its stream is switched on")
    if isinstance(error, av.error.ConnectionResetError | av.error.ConnectionAbortedError | av.error.BrokenPipeError):
        return failure(camera, "network", "cut the connection while it was made")
    if isinstance(error, av.error.EOFError):
        return failure(camera, "network", "closed the connection while it was made: check the port and the path")
    if number in _UNREACHABLE:
        return failure(camera, "network", "cannot be reached from here: check the address and the network")
    if number == errno.EPROTONOSUPPORT:
        return failure(camera, "server_error", f"does not offer transport {camera.transport}: choose the other one")
    if number == errno.EIO and scheme_of(camera.url) in {"rtsps", "https", "rtmps"}:
        if fault := certificate_fault(camera):
            return failure(camera, "network", f"shows a certificate that {fault}, or set tls_verify to 0")
        return failure(camera, "network", "speaks no TLS that this machine does: check the port and its certificate")
    return None


def _by_content(camera: Camera, error: Exception) -> SourceError:
    scheme = scheme_of(camera.url)
    if isinstance(error, av.error.ProtocolNotFoundError):
        return failure(camera, "codec", f"cannot be opened: this FFmpeg does not know {scheme}://")
    if isinstance(error, av.error.DecoderNotFoundError | av.error.DemuxerNotFoundError):
        return failure(camera, "codec", "sends what this FFmpeg has no decoder for: choose H.264 or H.265 in its settings")
    if scheme == "rtsp":
        answer = ask(camera)
        if answer.kind == "closed":
            return failure(camera, "network", "closes the connection without an answer: restart it if it does not pass")
        if answer.kind == "silent":
            return failure(camera, "timeout", "accepts the connection and does not answer: restart it if it does not pass")
        if answer.kind == "refused":
            return failure(camera, "network", "refuses the connection: check the port, and whether its stream is switched on")
        if answer.kind == "garbage":
            return _no_rtsp(camera)
        if answer.kind == "no_video":
            return failure(camera, "no_video", "offers no video: choose another path of it")
        if answer.status == 200 and isinstance(error, av.error.InvalidDataError):  # our own requests were all granted
            what = "answers in a way that FFmpeg cannot follow: update its firmware, or choose another path or transport"
            return failure(camera, "server_error", what)
    if isinstance(error, av.error.ArgumentError) and camera.options:
        names = ", ".join(camera.options)
        return failure(
            camera, "server_error", f"cannot be opened with its options ({names}): check their values, or leave them out"
        )
    if isinstance(error, av.error.FFmpegError) and not _is_vague(error):
        return failure(camera, "network", f"could not be opened: {error.strerror}")
    if is_http(camera.url) and _asked(camera).kind == "web_page":
        what = "answers with a web page, as one to log in: give the path of its video, and user and password if it asks"
        return failure(camera, "not_a_video", what)
    return failure(camera, "not_a_video", "sends no video that FFmpeg can read: check the path and the port")


def _name_is_known(url: str) -> bool:
    try:
        socket.getaddrinfo(urlsplit(url).hostname, server_port(url), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return False
    return True
