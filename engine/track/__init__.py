"""Follows faces from frame to frame: each stream has its own tracker."""
