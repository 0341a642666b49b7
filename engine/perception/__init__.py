"""Frames in, crops and ends of tracks out: the pure core of the worker that finds and follows faces.

It has no process, no channel and no clock: whoever runs it gives it frames, what the detector found, and the time.
"""
