"""The control plane's values."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from engine.config import SourceConfig
from engine.control import verbs


def test_a_request_comes_back_as_it_was() -> None:
    request = verbs.Request(request_id="7", verb=verbs.AddStream(source=SourceConfig(uri="rtsp://door/1")), deadline_ns=5)
    assert verbs.decode_request(verbs.encode_request(request)) == request


def test_every_verb_needs_a_role() -> None:
    assert set(get_args(verbs.AnyVerb)) == set(verbs.ROLE_OF)


def test_a_field_that_no_verb_has_is_an_error() -> None:
    raw = msgspec.msgpack.encode({"request_id": "1", "verb": {"verb": "streams.remove", "name": "door", "force": True}})
    with pytest.raises(msgspec.ValidationError, match="force"):
        verbs.decode_request(raw)


@pytest.mark.parametrize(
    ("value", "words"), [(2**64, "more than 64 bits"), ([{"a": -(2**63) - 1}], "more than 64 bits"), ("\udcff", "not UTF-8")]
)
def test_what_has_no_form_on_the_wire_is_said_in_words(value: object, words: str) -> None:
    request = verbs.Request(request_id="7", verb=verbs.ChangeSettings(changes={"live.detect_fps": value}))
    with pytest.raises(ValueError, match=words):
        verbs.encode_request(request)
