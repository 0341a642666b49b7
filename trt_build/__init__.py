"""Offline half of facestream: data in, a model file and its manifest out.

This package may import torch; the live package `engine` never imports this one.
"""

from engine.sessions.precision import ignore_fpmath_mode

ignore_fpmath_mode()  # must run before torch is imported, which happens only in the modules of this package
