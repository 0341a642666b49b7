"""Deletes what was written about people: one person on request, everybody after a time.

It works on galleries and on output directories that no run writes to now; no service is needed for it.
"""

from engine.privacy.erasure import erase
from engine.privacy.receipt import Erasure
from engine.privacy.retention import Expired, Policy, expire

__all__ = ["Erasure", "Expired", "Policy", "erase", "expire"]
