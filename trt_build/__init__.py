"""Offline half of facestream: data in, a model file and its manifest out.

This package may import torch; the live package `engine` never imports this one.
"""

from engine.sessions.precision import ignore_fpmath_mode

ignore_fpmath_mode()  # before torch is imported, which all of this package leaves to its modules
