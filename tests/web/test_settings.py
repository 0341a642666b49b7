from __future__ import annotations

from engine.web.settings import WebSettings


def test_previews_are_beside_the_tap() -> None:
    assert WebSettings(control="", directory="", tap="ipc:///run/x/tap.sock").previews_endpoint == "ipc:///run/x/preview.sock"
    assert WebSettings(control="", directory="").previews_endpoint == ""
