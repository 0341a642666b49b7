"""Is a result still what was written, who vouches for it, and which names in it two people have confirmed.

It reads and never writes: ``facestream audit DIR`` and the pages of an exhibit are made of it.
"""

from engine.exhibit.status import ChainStatus, chain_status
from engine.exhibit.two_person import Confirmation, confirmed_by, is_same_name, is_shown
from engine.exhibit.verify import Fault, Verdict, verify

__all__ = [
    "ChainStatus",
    "Confirmation",
    "Fault",
    "Verdict",
    "chain_status",
    "confirmed_by",
    "is_same_name",
    "is_shown",
    "verify",
]
