"""Traces of faces, as an exporter gets them."""

from __future__ import annotations

import builtins
import http.server
import logging
import threading

import pytest
from msgspec.structs import replace

from engine.contracts.faces import STEPS, Sighting
from engine.contracts.orders import Warned
from engine.delivery.traces import Traces, tracing
from engine.errors import ConfigError, MissingRuntimeError
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import face

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel`")


def sighting(marks: list[int] | None) -> Sighting:
    seen = face()[0].face
    return replace(seen, marks=marks, time=replace(seen.time, captured_ns=1_000))


def exported(*faces: Sighting, decision: str = "known") -> list:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    for one in faces:
        traces.take(one, "run", decision, 6_000)
    traces.close()
    return list(exporter.get_finished_spans())


def test_a_face_is_one_span_with_a_span_for_each_of_its_steps():
    *steps, whole = exported(sighting([2_000, 3_500, 4_000, 5_500]))
    assert (whole.name, whole.parent, whole.start_time, whole.end_time) == ("face", None, 1_000, 6_000)
    assert [(one.name, one.start_time, one.end_time) for one in steps] == list(
        zip(STEPS, (1_000, 2_000, 3_500, 4_000, 5_500), (2_000, 3_500, 4_000, 5_500, 6_000), strict=True)
    )
    assert {one.parent.span_id for one in steps} == {whole.context.span_id}
    assert whole.attributes["facestream.stream"] == sighting(None).stream
    assert whole.attributes["facestream.decision"] == "known"
    assert not any(name in str(dict(whole.attributes)) for name in ("candidate", "identity"))


def test_what_was_not_chosen_is_not_traced_and_a_clock_that_was_set_back_does_no_harm():
    assert exported(sighting(None), sighting([])) == []
    *steps, whole = exported(sighting([500, 400, 300, 200]))
    assert all(one.end_time >= one.start_time for one in (*steps, whole))


def test_they_are_sent_by_http_and_it_is_said_once_that_nobody_takes_them():
    class Collector(http.server.BaseHTTPRequestHandler):
        seen: list[tuple[str, bytes]] = []

        def do_POST(self) -> None:
            Collector.seen.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if len(Collector.seen) == 1 else 400)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    said: list[Warned] = []
    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            with tracing(f"http://127.0.0.1:{collector.server_port}/v1/traces", said.append) as traces:
                for _ in range(3):
                    traces.take(sighting([2_000, 3_500, 4_000, 5_500]), "run", "unknown", 6_000)
                    traces._provider.force_flush()
        finally:
            collector.shutdown()
            thread.join()
    path, body = Collector.seen[0]
    assert path == "/v1/traces"
    assert b"facestream.stream" in body
    assert len(said) == 1
    assert "traces cannot be sent" in said[0].detail


def test_the_end_does_not_wait_for_who_takes_none_and_nothing_is_said_after_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.delivery.traces._CLOSE_SECONDS", 0.05)
    began, go_on, said = threading.Event(), threading.Event(), list[str]()

    class Stuck:
        def export(self, spans: object) -> None:
            began.set()
            assert go_on.wait(PATIENCE_SECONDS)
            logging.getLogger("opentelemetry.exporter").warning("nobody is there")

        def shutdown(self) -> None: ...

    before = set(threading.enumerate())
    traces = Traces(Stuck(), said.append)
    traces.take(sighting([2_000, 3_500, 4_000, 5_500]), "run", "known", 6_000)
    traces.close()
    left = set(threading.enumerate()) - before
    try:
        assert began.wait(PATIENCE_SECONDS)
        assert left
        assert all(one.daemon for one in left), "the process can end"
    finally:
        go_on.set()
        for one in left:
            one.join(PATIENCE_SECONDS)
    assert said == []


def test_without_an_endpoint_nothing_is_loaded_and_without_the_package_it_is_said(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *rest: object, **known: object) -> object:
        if name.startswith("opentelemetry"):
            raise ImportError(name=name)
        return real(name, *rest, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with tracing("", print) as nothing:
        assert nothing is None
    with pytest.raises(MissingRuntimeError, match=r"facestream\[otel\]"), tracing("http://127.0.0.1:4318/v1/traces", print):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "ftp://host/x", "http://", "http://u:secret@host:4318/", "http://a b/"])
def test_an_address_that_cannot_be_is_a_wrong_configuration(address: str):
    with pytest.raises(ConfigError, match=r"publish\.traces") as refused, tracing(address, print):
        pass
    assert "secret" not in str(refused.value)
