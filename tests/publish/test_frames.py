import pytest
from msgspec.structs import replace

from engine.config import PublishConfig
from engine.contracts.messages import decode_header
from engine.publish.frames import frames_of, kept_back
from tests.publish.samples import as_sent, face


@pytest.mark.parametrize("asked", [False, True])
def test_a_whole_picture_is_sent_only_where_it_is_asked_for(asked):
    body, payloads = face()
    body = replace(body, parts=[*body.parts, replace(body.parts[0], name="scene")])
    config = PublishConfig(parts=("original", "scene")) if asked else PublishConfig()
    _, header, *parts = frames_of(as_sent(body), [*payloads, b"scene"], without=kept_back(config))
    names = ["enhanced", "original"] + ["scene"] * asked
    assert [part.name for part in decode_header(header).parts] == names
    assert (b"scene" in parts, len(parts)) == (asked, len(names))
