"""What stands in the file: found again, by us and by other readers, and nothing else is taken for it."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.marking import Declared, declare, declared_in, kind_of, sentence, source_type
from engine.marking.containers import Texts, has_manifest, read_texts, with_texts
from engine.marking.metadata import UNTRAINED
from engine.super_resolve.interpolation import INTERPOLATIONS

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def file(ending):
    return cv2.imencode(ending, np.full((40, 40, 3), 90, np.uint8))[1].tobytes()


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("model", ["compact_fine_x4", 'a <b> & "c"\x00\u2014d', "m" * 500])
def test_it_is_found_again_and_other_readers_find_it(ending, model):
    said = declare(file(ending), model)
    found = declared_in(said)
    assert found.source_type == f"{IPTC}compositeWithTrainedAlgorithmicMedia"
    assert found.system.startswith(f"facestream {model}".replace("\x00", "?"))
    assert found.is_enhanced
    with Image.open(io.BytesIO(said)) as opened:
        root = ElementTree.fromstring(opened.info["xmp"].split(b"?>", 1)[1].rsplit(b"<?", 1)[0])
        opened.load()
    [description] = root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    field = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    assert description.attrib[field] == found.source_type


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_a_file_that_says_nothing_says_nothing(ending):
    assert declared_in(file(ending)) is None
    assert read_texts(file(ending)) == Texts()
    assert not has_manifest(file(ending))


def test_what_no_network_has_made_is_called_so():
    assert set(INTERPOLATIONS) == UNTRAINED
    assert source_type("bicubic") == f"{IPTC}algorithmicallyEnhanced"


@pytest.mark.parametrize(
    ("xmp", "kind"),
    [
        (f'<d Iptc4xmpExt:DigitalSourceType="{IPTC}digitalCapture"/>', "digitalCapture"),
        (f"<d a:DigitalSourceType='{IPTC}trainedAlgorithmicMedia'/>", "trainedAlgorithmicMedia"),
        (f"<a:DigitalSourceType>{IPTC}compositeSynthetic</a:DigitalSourceType>", "compositeSynthetic"),
        (f'<a:DigitalSourceType rdf:resource="{IPTC}print"/>', "print"),
    ],
)
def test_other_ways_to_write_it_are_read(xmp, kind):
    found = declared_in(with_texts(file(".jpg"), Texts(xmp=xmp)))
    assert found == Declared(IPTC + kind)
    assert found.is_enhanced == (kind not in ("digitalCapture", "print"))


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_damaged_files_are_read_as_far_as_they_go(ending):
    whole = declare(file(ending), "m")
    for length in range(0, 700, 7):
        declared_in(whole[:length])
        has_manifest(whole[:length])
    changed = np.frombuffer(whole, np.uint8).copy()
    for seed in range(50):
        at = np.random.default_rng(seed).integers(2, 400, 20)
        changed[at] ^= 0x5A
        declared_in(changed.tobytes())
    assert declared_in(b"") is None
    assert kind_of(b"GIF89a") == ""


def test_a_long_text_is_cut_where_a_segment_is_full():
    comment = "x" * 70_000
    assert read_texts(with_texts(file(".jpg"), Texts(comment))).comment == "x" * 65_533
    assert read_texts(with_texts(file(".png"), Texts(comment))).comment == comment


def test_the_sentence_names_the_program_and_what_it_is_not_for():
    assert sentence("facestream m") == "AI-enhanced by facestream m; not for identification"
