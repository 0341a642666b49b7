"""Crops in, faces and tracks with scores out: the pure core of the worker that enlarges faces and says whose they are.

It has no process, no channel and no clock: whoever runs it gives it crops, in threads of its own where it likes.
"""
