"""Follows faces from frame to frame: each stream has its own tracker."""

from engine.track.tracker import Tracker

__all__ = ["Tracker"]
