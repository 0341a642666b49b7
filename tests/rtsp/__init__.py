"""Servers for the tests of live sources: Debian's gst-rtsp-server, a scripted one that misbehaves on demand, and HTTP."""
