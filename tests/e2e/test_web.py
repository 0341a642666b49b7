"""A camera that is added over HTTP, and what a browser gets of it: of the whole product, with a real camera."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.web.tokens import TokenFolder
from tests.e2e.live_run import make_clip
from tests.e2e.serving import Serving
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.fixtures import StartGst, gst
from tests.web.listening import listening
from tests.web.server import Server

__all__ = ["gst"]
pytestmark = pytest.mark.e2e


class _Serving(Serving):
    """With its web process, at any port that is free."""

    def start(self):
        text = self.config.read_text().replace('http: ""', 'http: "127.0.0.1:0"').replace("policy: best", "policy: prompt")
        self.config.write_text(text)
        return super().start()


def test_a_camera_is_added_over_http_and_its_faces_come(gst: StartGst, tmp_path: Path) -> None:
    clip, _ = make_clip(tmp_path)
    server = gst({"one": clip})
    with _Serving(tmp_path, record=True) as service:
        service.wait(lambda: "console is at" in service.said)
        port = int(re.search(r"console is at http://127.0.0.1:(\d+)/", service.said)[1])
        token = TokenFolder(service.state / "tokens").add("test", ["view", "operate"])
        web = Server(None, None, port, None, None, token=token)
        assert web.ask("POST", "/api/v1/streams", {"source": {"uri": server.url("one"), "name": "door"}}).status == 201
        with listening(web, "?kinds=face,preview&streams=door") as heard:
            kinds = {}
            for event in heard.events():
                kinds[event.kind] = event.data
                if event.kind == "face" and "preview" in kinds:
                    of = f"{event.data['run_id']}/door/{event.data['track_id']}"
                    live = web.ask("GET", f"/api/v1/tracks/{of}").json
                    if live.get("ended") is False:  # it may not be written yet, or have been the last one of its track
                        break
        assert live["best"]["pictures"] != {}, "of a track that goes on too"
        picture = web.ask("GET", kinds["face"]["pictures"]["original"])
        assert (picture.status, picture.body[:2]) == (200, b"\xff\xd8")
        shown = web.ask("GET", kinds["preview"]["url"])
        assert (shown.status, shown.body[:2]) == (200, b"\xff\xd8")
        service.wait(lambda: b'facestream_stream_live{stream="door"} 1.0' in web.ask("GET", "/metrics").body)
        metrics = web.ask("GET", "/metrics").body
        assert b'facestream_face_latency_seconds_count{stream="door"}' in metrics
        assert web.ask("DELETE", "/api/v1/streams/door").status == 200  # which ends the track
        service.wait(lambda: web.ask("GET", "/api/v1/tracks?stream=door").json["tracks"] != [])
        track = web.ask("GET", "/api/v1/tracks?stream=door").json["tracks"][0]
        one = web.ask("GET", f"/api/v1/tracks/{track['run_id']}/door/{track['track_id']}").json
        assert one["all"], json.dumps(one)
        assert web.ask("GET", one["best"]["pictures"]["original"]).body[:2] == b"\xff\xd8"
        assert web.ask("POST", "/api/v1/drain").status == 200
        assert service.process.wait(PATIENCE_SECONDS) == 0, service.said
