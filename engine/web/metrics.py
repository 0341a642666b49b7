"""For Prometheus: how the service stands, as its own status says, and what this process has seen go by.

Every name is in ``docs/metrics.md``. The number of series is bounded: beyond ``MOST_STREAMS`` cameras the rest is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from engine.control.answers import Status, Stream
from engine.web.context import Web
from engine.web.fleet_metrics import fleet_families
from engine.web.problems import Refusal
from engine.web.seen import BUCKETS_SECONDS, OTHER, Seen

Named = TypeVar("Named")
Group = tuple[str, list[Stream]]
"""A camera by its name; beyond ``MOST_STREAMS`` all others are one."""
MOST_STREAMS = 200
_MOST_NAMES = 200
"""Stages, causes, workers."""
_STREAM_COUNTS = {
    "frames": "Frames decoded.",
    "faces": "Faces sent.",
    "dropped": "Frames and faces dropped because the machine was too slow.",
    "errored": "Frames and faces on which a model failed.",
    "reconnects": "Reconnections to the camera.",
}
_STREAM_RATES = {
    "fps": ("frames_per_second", "Frames decoded per second, over the last seconds."),
    "detections_per_second": ("detections_per_second", "Frames searched for faces per second, over the last seconds."),
    "seconds_in_state": ("state_seconds", "How long the stream has been in its state."),
}
_HIGHEST = "Of several streams, the highest."
_FUNNEL = "Frames and faces by how far they got."
_RECONNECTS = "Reconnections to the camera, by the reason why it was lost."


async def metrics(web: Web, request: Request) -> Response:
    """Answer with all metrics, in the format that is asked for.

    Raises:
        Refusal: the asker may not look.
    """
    asker = web.auth.asker(request)
    if "view" not in asker.roles:
        raise Refusal("forbidden", f"{asker.name} may not do this: it needs the role view")
    try:
        status: Status | None = await web.status.get()
    except Refusal:
        status = None
    registry = CollectorRegistry(auto_describe=False)
    fleet = fleet_families(await web.fleet.get()) if web.fleet is not None else ()
    registry.register(_Families([*service_families(status), *web_families(web), *fleet]))
    encoder, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encoder(registry), headers={"Content-Type": media_type})


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def service_families(status: Status | None) -> Iterator[Metric]:
    """Yield what the service says; None: it does not answer."""
    yield GaugeMetricFamily("facestream_up", "Whether the service answers.", value=status is not None)
    if status is None:
        return
    yield InfoMetricFamily("facestream_build", "The running version.", value={"version": status.version})
    yield _labelled(InfoMetricFamily, "facestream_model", "Models in use.", ["stage"],
                    (([stage], {"model": model[:200]}) for stage, model in _few(status.models)))  # fmt: skip
    yield GaugeMetricFamily("facestream_ready", "Whether a known face was detected, enhanced and verified.", value=status.ready)
    yield GaugeMetricFamily("facestream_uptime_seconds", "Time since the service was started.", value=status.uptime_seconds)
    yield GaugeMetricFamily(
        "facestream_overload_level", "0: the machine keeps up; higher: it does less.", value=status.overload_level
    )
    yield from _stages(status)
    yield _labelled(CounterMetricFamily, "facestream_drops", "Frames and faces dropped, by cause.", ["cause"],
                    (([cause], count) for cause, count in _few(status.drops)))  # fmt: skip
    yield _labelled(CounterMetricFamily, "facestream_errors", "Failed model calls, by stage.", ["stage"],
                    (([stage], count) for stage, count in _few(status.errors)))  # fmt: skip
    workers = status.workers[:_MOST_NAMES]
    yield _labelled(GaugeMetricFamily, "facestream_worker_up", "Whether a process lives.", ["worker"],
                    (([worker.name], worker.alive) for worker in workers))  # fmt: skip
    yield _labelled(CounterMetricFamily, "facestream_worker_restarts", "Restarts of a worker process.", ["worker"],
                    (([worker.name], worker.restarts) for worker in workers))  # fmt: skip
    yield from _streams(status.streams)


def web_families(web: Web) -> Iterator[Metric]:
    """Yield what this process has seen."""
    seen: Seen = web.tap.seen
    latency = HistogramMetricFamily(
        "facestream_face_latency_seconds",
        "Time from the arrival of a camera's packet to the sending of a face in it.",
        labels=["stream"],
    )
    for stream, (buckets, total) in seen.latencies.items():
        bounds = [*map(str, BUCKETS_SECONDS), "+Inf"]
        latency.add_metric([stream], list(zip(bounds, buckets.cumulative(), strict=True)), total)
    yield latency
    yield _labelled(CounterMetricFamily, "facestream_stream_changes", "State changes of all streams.", ["state", "reason"],
                    (([state, reason], count) for (state, reason), count in seen.changes.items()))  # fmt: skip
    yield GaugeMetricFamily("facestream_web_connections", "Open connections.", value=web.bounds.open.total())
    yield CounterMetricFamily(
        "facestream_web_refused_connections", "Connections refused because too many were open.", value=web.bounds.refused
    )
    yield GaugeMetricFamily(
        "facestream_web_listeners", "Browsers and programs listening to events.", value=len(web.fan.clients)
    )
    yield CounterMetricFamily(
        "facestream_web_lost_events", "Events dropped because a listener was too slow.", value=web.fan.lost
    )
    yield GaugeMetricFamily(
        "facestream_web_pictures_bytes", "Pictures held for the live strip.", value=web.tap.pictures.size_bytes
    )


def _stages(status: Status) -> Iterator[Metric]:
    for name, kind, what, field, factor in (
        ("items", CounterMetricFamily, "Items that a stage has processed.", "items", 1.0),
        ("queue_depth", GaugeMetricFamily, "Items now waiting for a stage.", "queue_depth", 1.0),
        ("p50_seconds", GaugeMetricFamily, "Time for one item, median of the newest.", "p50_ms", 1e-3),
        ("p99_seconds", GaugeMetricFamily, "Time for one item, 99th percentile of the newest.", "p99_ms", 1e-3),
    ):
        values = (([stage], getattr(stats, field) * factor) for stage, stats in _few(status.stages))
        yield _labelled(kind, f"facestream_stage_{name}", what, ["stage"], values)


def _streams(streams: list[Stream]) -> Iterator[Metric]:
    states = Counter(stream.state for stream in streams)
    yield _labelled(GaugeMetricFamily, "facestream_streams", "Cameras by state.", ["state"],
                    (([state], count) for state, count in states.items()))  # fmt: skip
    groups = _groups(streams)
    yield _by_stream(GaugeMetricFamily, "live", "Whether pictures arrive; of several, how many.", groups, _live)
    for field, what in _STREAM_COUNTS.items():
        yield _by_stream(CounterMetricFamily, field, what, groups, partial(_total, field))
    for field, (name, what) in _STREAM_RATES.items():
        yield _by_stream(GaugeMetricFamily, name, f"{what} {_HIGHEST}", groups, partial(_highest, field))
    for share in ("p50", "p99"):
        what = f"From packet to message, {share} of the newest. {_HIGHEST}"
        highest = partial(_highest, f"latency_{share}_ms", parts=1e3)
        yield _by_stream(GaugeMetricFamily, f"latency_{share}_seconds", what, groups, highest)
    yield _labelled(CounterMetricFamily, "facestream_stream_funnel", _FUNNEL, ["stream", "step"],
                    (([name, step], sum(getattr(one.funnel, step) for one in group))
                     for name, group in groups for step in group[0].funnel.__struct_fields__))  # fmt: skip
    yield _labelled(CounterMetricFamily, "facestream_stream_reconnects_by_reason", _RECONNECTS, ["stream", "reason"],
                    (([name, reason], sum(one.reconnects_by.get(reason, 0) for one in group))
                     for name, group in groups
                     for reason in sorted({key for one in group for key in one.reconnects_by})))  # fmt: skip


def _groups(streams: list[Stream]) -> list[Group]:
    ordered = sorted(streams, key=lambda stream: stream.name)
    labelled, others = ordered[:MOST_STREAMS], ordered[MOST_STREAMS:]
    return [(stream.name, [stream]) for stream in labelled] + ([(OTHER, others)] if others else [])


def _by_stream(kind: type, name: str, what: str, groups: list[Group], value: Callable[[list[Stream]], float | None]) -> Metric:
    """Return one value for each group that has one."""
    values = (([stream], found) for stream, group in groups if (found := value(group)) is not None)
    return _labelled(kind, f"facestream_stream_{name}", what, ["stream"], values)


def _live(group: list[Stream]) -> int | None:
    wanted = [one for one in group if one.state != "paused"]
    return sum(one.state == "live" for one in wanted) if wanted else None


def _total(field: str, group: list[Stream]) -> int:
    return sum(getattr(one, field) for one in group)


def _highest(field: str, group: list[Stream], parts: float = 1.0) -> float | None:
    known = [value for one in group if (value := getattr(one, field)) is not None]
    return max(known) / parts if known else None


def _labelled(kind: type, name: str, what: str, labels: list[str], values: Iterable[tuple[list[str], object]]) -> Metric:
    family = kind(name, what, labels=labels)
    for named, value in values:
        family.add_metric(named, value)
    return family  # type: ignore[no-any-return]


def _few(named: Mapping[str, Named]) -> list[tuple[str, Named]]:
    return sorted(named.items())[:_MOST_NAMES]
