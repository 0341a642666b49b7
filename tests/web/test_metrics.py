from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.config import SourceConfig
from engine.contracts.messages import StageStats, Stream
from engine.control import answers
from tests.patience import PATIENCE_SECONDS
from tests.web.server import Server, server
from tests.web.service import FakeService, face, usual_answer

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def stream(name: str, **known: object) -> answers.Stream:
    values = {"state": "live", "frames": 10, "faces": 2, "fps": 12.5, "latency_p50_ms": 100.0, "latency_p99_ms": 200.0}
    return answers.Stream(name=name, source=SourceConfig(uri="rtsp://192.0.2.1/s"), **(values | known))  # type: ignore[arg-type]


def status(streams: list[answers.Stream]) -> answers.Status:
    return answers.Status(
        version="1.2", state="running", ready=True, uptime_seconds=5.0, overload_level=1, models={"detector": 'grey ("x")\n'},
        workers=[answers.Worker(name="publish", alive=True, restarts=2, pid=1)],
        stages={"detect": StageStats(100, 10.0, 20.0, 50.0, 3)},
        drops={"late": 4}, errors={"verify": 1}, streams=streams,
    )  # fmt: skip


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, "a series twice, and Prometheus refuses all"
            found[key] = sample.value
    return found


@pytest.fixture(scope="module")
def scraped(service: FakeService) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    service.answer = lambda request: status(
        [
            stream("door", reconnects_by={"network": 3}),
            stream("gate", state="stalled", latency_p50_ms=None),
            stream("attic", state="paused"),
        ]
    )
    with server(service) as running:
        running.token = running.token_for("prometheus", "view")
        service.wait_for_listener()
        for sent, state in (("door", "live"), ("door", "stalled")):
            service.publish(
                Stream(run_id="r", stream=sent, seq=0, sent_ns=1, state=state, reason="network" if state == "stalled" else "")
            )
        for late in (40, 250, 60_000):
            service.publish(face(0, "door", captured_ns=0, sent_ns=late * 10**6))
        for _ in range(2000):
            if running.web.tap.seen.latencies and sum(running.web.tap.seen.latencies["door"][0]._counts) == 3:
                break
            running.ask("GET", "/live")
        answer = running.ask("GET", "/metrics")
    service.answer = usual_answer
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    (Path(running.settings.directory) / "metrics.txt").write_bytes(answer.body)
    return samples(answer.body.decode())


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_what_the_service_says_is_there(scraped: dict) -> None:
    assert scraped[of("facestream_up")] == 1
    assert scraped[of("facestream_model_info", stage="detector", model='grey ("x")\n')] == 1
    assert scraped[of("facestream_stage_items_total", stage="detect")] == 100
    assert scraped[of("facestream_stage_p99_seconds", stage="detect")] == 0.05
    assert scraped[of("facestream_drops_total", cause="late")] == 4
    assert scraped[of("facestream_worker_restarts_total", worker="publish")] == 2
    assert scraped[of("facestream_stream_live", stream="door")] == 1
    assert scraped[of("facestream_stream_live", stream="gate")] == 0
    assert of("facestream_stream_live", stream="attic") not in scraped, "nobody is to be woken for a camera that is paused"
    assert scraped[of("facestream_streams", state="stalled")] == 1
    assert scraped[of("facestream_stream_latency_p50_seconds", stream="door")] == 0.1
    assert of("facestream_stream_latency_p50_seconds", stream="gate") not in scraped


def test_reconnects_say_why(scraped: dict) -> None:
    name = "facestream_stream_reconnects_by_reason_total"
    assert {key: value for key, value in scraped.items() if key[0] == name} == {
        (name, frozenset({("stream", "door"), ("reason", "network")})): 3.0
    }


def test_what_went_by_is_counted(scraped: dict) -> None:
    assert scraped[of("facestream_face_latency_seconds_bucket", stream="door", le="0.05")] == 1
    assert scraped[of("facestream_face_latency_seconds_bucket", stream="door", le="0.3")] == 2
    assert scraped[of("facestream_face_latency_seconds_count", stream="door")] == 3
    assert scraped[of("facestream_face_latency_seconds_sum", stream="door")] == pytest.approx(60.29)
    assert scraped[of("facestream_stream_changes_total", state="stalled", reason="network")] == 1
    assert scraped[of("facestream_web_connections")] >= 1


def test_every_metric_is_documented_and_every_documented_one_is_there(scraped: dict) -> None:
    documented = set(re.findall(r"`(facestream_(?!fleet_|bridge_)\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    there = {re.sub(r"(?<=facestream_face_latency_seconds)_(bucket|count|sum|created)$", "", name) for name, _ in scraped}
    assert there == documented


def test_promtool_finds_nothing_to_complain_of(scraped: dict, service: FakeService) -> None:
    if not (promtool := shutil.which("promtool")):
        pytest.skip("promtool of the Debian package prometheus is not installed")
    text = (service.folder / "metrics.txt").read_bytes()
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=PATIENCE_SECONDS)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_number_of_series_is_bounded(web: Server) -> None:
    many = [stream(f"c{number:03}", frames=1, fps=float(number)) for number in range(300)]
    web.service.answer = lambda request: status([*many, stream("other")])
    web.web.status._status = None
    found = samples(web.ask("GET", "/metrics").body.decode())
    frames = {
        dict(labels)["stream"]: value for (name, labels), value in found.items() if name == "facestream_stream_frames_total"
    }
    assert (len(frames), frames["other streams"]) == (201, 110)
    assert found[of("facestream_stream_frames_per_second", stream="other streams")] == 299
    assert found[of("facestream_stream_live", stream="other streams")] == 101
    assert len(found) < 201 * 25


def test_without_an_answer_of_the_service_that_is_said(service: FakeService) -> None:
    service.answer = lambda request: answers.Problem(code="failed", message="no")
    with server(service) as running:
        running.token = running.token_for("scraper", "view")
        found = samples(running.ask("GET", "/metrics").body.decode())
    assert found[of("facestream_up")] == 0
    assert of("facestream_web_listeners") in found
    assert not [name for name, _ in found if name.startswith("facestream_stage")]


def test_openmetrics_is_spoken_where_it_is_asked_for(web: Server) -> None:
    web.web.status._status = None
    answer = web.ask("GET", "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")
