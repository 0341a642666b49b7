"""Traces of some faces, from packet to message, for OpenTelemetry: sent by a thread of its own, which nothing waits for."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from engine.contracts.faces import STEPS, Sighting
from engine.contracts.orders import Warned
from engine.errors import ConfigError, MissingRuntimeError
from engine.runtime.closing import finishes_within
from engine.words.redaction import redact

_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+)(:[0-9]+)?(/\S*)?")
_EXPORT_SECONDS = _CLOSE_SECONDS = 3.0
_MOST_WAITING, _SILENT_SECONDS = 2048, 600.0


class Traces:
    """Makes a span of each face that was chosen for it, and one of each of its steps.

    Args:
        exporter: takes spans.
        warn: is told, seldom, that they cannot be sent.

    Raises:
        MissingRuntimeError: a package is not installed.
    """

    def __init__(self, exporter: Any, warn: Callable[[str], None] = lambda sentence: None) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [_Seldom(warn)], False
        self._provider = TracerProvider(resource=Resource.create({"service.name": "facestream"}), shutdown_on_exit=False)
        limit = int(_EXPORT_SECONDS * 1e3)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=_MOST_WAITING, export_timeout_millis=limit)
        )
        self._tracer = self._provider.get_tracer("facestream")

    def take(self, face: Sighting, run_id: str, decision: str, sent_ns: int) -> None:
        """Trace a face that has marks; no name of a person is in it.

        Args:
            face: was just sent.
            run_id, decision: of the message.
            sent_ns: when it was (Unix, nanoseconds).
        """
        from opentelemetry.trace import set_span_in_context

        if not face.marks:
            return
        about: dict[str, str | int | float] = {
            "facestream.run": run_id,
            "facestream.stream": face.stream,
            "facestream.track": face.track_id,
            "facestream.frame": face.time.frame_index,
            "facestream.size_px": face.quality.size_px,
            "facestream.decision": decision,
        }
        whole = self._tracer.start_span("face", start_time=face.time.captured_ns, attributes=about)
        inside = set_span_in_context(whole)
        times = [face.time.captured_ns, *face.marks, sent_ns]
        for step, begin, end in zip(STEPS, times, times[1:], strict=False):
            self._tracer.start_span(step, inside, start_time=begin).end(max(begin, end))
        whole.end(max(sent_ns, face.time.captured_ns))

    def close(self) -> None:
        """Send what waits, for three seconds at most: what nobody has taken then is lost, and no more is said of it."""
        # The provider waits for as long as its exporter tries again, whatever time it is given.
        if not finishes_within(_CLOSE_SECONDS, self._provider.shutdown):
            logging.getLogger("opentelemetry").handlers = [logging.NullHandler()]


@contextlib.contextmanager
def tracing(endpoint: str, tell: Callable[[Warned], None]) -> Iterator[Traces | None]:
    """Give what sends traces there; None where there is no endpoint.

    Args:
        endpoint: address for OTLP over HTTP.
        tell: is told, seldom, that they cannot be sent.

    Raises:
        ConfigError: this is not an address that can be asked by HTTP.
        MissingRuntimeError: a package is not installed.
    """
    if not endpoint:
        yield None
        return
    if not _ADDRESS.fullmatch(endpoint):
        raise ConfigError(f"publish.traces: {redact(endpoint)} is not an address: use http://HOST:4318/v1/traces, or nothing")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise MissingRuntimeError(
            f"publish.traces needs {error.name}: `pip install 'facestream[otel]'`, or leave publish.traces empty"
        ) from error
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)
    with contextlib.closing(Traces(exporter, lambda words: tell(Warned("", words)))) as traces:
        yield traces


class _Seldom(logging.Handler):
    """What the exporter says, once in ten minutes."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._warn, self._next = warn, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SILENT_SECONDS
            self._warn(f"traces cannot be sent (publish.traces): {record.getMessage()}")
