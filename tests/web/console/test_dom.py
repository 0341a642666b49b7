"""How the page says what the service said."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e
SAID = """async texts => {
    const { said, h } = await import('/console/dom.js');
    return texts.map((one) => h('p', null, said(one)).innerHTML);
}"""


def test_a_sentence_of_the_service_is_shown_as_one(page):
    shown = {
        "this token is not known: make one with `facestream tokens new NAME`": (
            "This token is not known: make one with <code>facestream tokens new NAME</code>."
        ),
        "rtsp://192.0.2.1/s refuses the connection": "rtsp://192.0.2.1/s refuses the connection.",
        "yard: no pictures": "yard: no pictures.",
        "a.jpg shows no face": "a.jpg shows no face.",
        "Is it still running?": "Is it still running?",
        "a <b>": "A &lt;b&gt;.",
    }
    assert page.evaluate(SAID, list(shown)) == list(shown.values())
