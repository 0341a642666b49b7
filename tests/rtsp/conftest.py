"""The servers' own tests use all of them."""

from tests.rtsp.fixtures import gst, h265_clip, http, large_clip, mjpeg_clip, scripted, small_clip

__all__ = ["gst", "h265_clip", "http", "large_clip", "mjpeg_clip", "scripted", "small_clip"]
