from __future__ import annotations

import av
import pytest
from av.codec.context import CodecContext
from av.codec.hwaccel import hwdevices_available

from engine.decode.hwaccel import choose_hwaccel, probe_hwaccel
from engine.decode.picture_decoder import PictureDecoder
from tests.decode.clips import render


@pytest.mark.parametrize("kind", ["cuda", "vaapi"])
def test_a_kind_is_usable_or_there_is_a_reason(kind):
    usable, reason = probe_hwaccel(kind)
    assert usable != bool(reason)
    if kind not in hwdevices_available():
        assert reason == f"this FFmpeg was built without {kind}"


def test_a_device_that_is_compiled_in_but_has_no_driver_ends_in_software():
    if "cuda" not in hwdevices_available() or probe_hwaccel("cuda")[0]:
        pytest.skip("needs an FFmpeg with CUDA on a machine without it")
    accelerator, note = choose_hwaccel("cuda", "h264")
    assert accelerator is None
    assert note == "decoded in software: no device answers to NVIDIA's driver"


def test_none_asks_for_nothing_and_says_nothing():
    assert choose_hwaccel("none", "h264") == (None, "")


@pytest.mark.parametrize("wanted", ["auto", "cuda", "vaapi", "none"])
def test_every_wish_ends_in_pictures(tmp_path, wanted):
    path = render(tmp_path / "clip.mkv", codec_options={"tune": "zerolatency"})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = PictureDecoder(stream.codec_context, wanted)
        counts = [len(decoder.decode(packet)) for packet in container.demux(stream) if packet.size]
    assert counts == [1] * 12  # each picture comes out with its packet


def test_hardware_that_refuses_the_stream_is_replaced_by_software(tmp_path, monkeypatch):
    class Refusing:
        def __init__(self, inner: CodecContext) -> None:
            self.codec, self.flags, self.name = inner.codec, 0, inner.name

        def decode(self, _packet: object) -> list[av.VideoFrame]:
            raise av.error.ExternalError(1, "no session left")

    path = render(tmp_path / "clip.mkv", codec_options={"tune": "zerolatency"})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = PictureDecoder(stream.codec_context, "none")
        decoder._accelerated, decoder._context = True, Refusing(stream.codec_context)
        counts = [len(decoder.decode(packet)) for packet in container.demux(stream) if packet.size]
    assert counts == [1] * 12
    assert decoder.note == "decoded in software: the hardware refuses this stream"
