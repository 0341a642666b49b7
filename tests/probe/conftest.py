from tests.rtsp.fixtures import gst, http, scripted, small_clip

__all__ = ["gst", "http", "scripted", "small_clip"]
