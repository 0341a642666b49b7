"""The page is whole: tables, pictures and curves that need nothing else, and text that stays text."""

import base64
from html.parser import HTMLParser

import cv2
import msgspec
import numpy as np
import pytest

pytest.importorskip("jinja2", reason="the page is a Jinja2 template")
pytest.importorskip("matplotlib", reason="curves are drawn by matplotlib")

from engine.errors import MissingRuntimeError
from tests.trt_build.protocols.generators.runs import results, strips
from trt_build.protocols.generators.page import check_page, render, write_page

VOID = {"meta", "img", "br", "link", "input", "use", "path", "rect", "stop"}


class Page(HTMLParser):
    """Keeps elements with their attributes, and the text; checks that elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page():
    return Page(render(results(), strips()))


def test_pictures_are_embedded(page):
    images = page.of("img")
    assert len(images) == 2 * 4
    for image in images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        assert cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED).shape in ((8, 8), (32, 32))
    assert [image["alt"] for image in images[:4]] == [
        f"A <b>/1.jpg: {caption}" for caption in ("input", "bicubic", "srcnn_x4", "truth")
    ]


def test_nothing_is_fetched(page):
    links = [value for _, one in page.elements for key, value in one.items() if key in ("src", "href", "xlink:href")]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert page.of("script") == []


def test_the_table_has_every_row_with_its_marks(page):
    text = "".join(page.texts)
    for words in ("clean, 32 px, x4", "h264, 32 px, x4", "srcnn_x4 + bicubic", "32.50 ▲", "32.50 ▼", "[+2.00, +3.00]"):
        assert words in text
    kinds = [cell.get("class") for cell in page.of("td")]
    assert "better" in kinds
    assert "worse" in kinds
    assert "95 %: 31.50 to 33.50" in [cell.get("title") for cell in page.of("td")]
    assert "Measured <so> & so." in text


def test_curves_are_one_drawing_for_each_gallery_in_the_pages_ink(page):
    assert len(page.of("svg")) == 2
    named = [one["id"] for _, one in page.elements if "id" in one]
    assert len(named) == len(set(named))
    text = render(results(), [])
    assert "currentColor" in text
    assert "#123456" not in text
    assert "false match rate" in text


def test_a_paper_is_shown_only_with_a_model_of_its_name(page):
    text = "".join(page.texts)
    assert "36.1368" in text
    assert "Not comparable" in text
    assert "measured: clean, 32 px, x4" in text
    assert "36.1368" not in render(results("mine"), [])


def test_without_curves_and_pictures_it_is_still_a_page():
    bare = msgspec.structs.replace(results("mine"), curves=[])
    assert Page(render(bare, [])).of("svg") == []


def test_dark_mode_is_known():
    assert "prefers-color-scheme: dark" in render(results(), [])


def test_what_is_missing_is_said_early(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match=r"jinja2.*facestream\[train\]"):
        check_page()
    with pytest.raises(MissingRuntimeError):
        write_page(results(), [], tmp_path / "page.html")
