"""Who did what, on whom, when, and how it ended: a file that only grows, each of whose lines holds the hash of the one before.

    audit.jsonl          one entry a line, see ``entries.py``
    audit.jsonl.head     how many lines there are, and the hash of the last: so that lines missing at the end are seen
    audit.jsonl.people   whose pseudonym is which, see ``people.py``: what makes a name in the log erasable

It needs no run and no service; several processes and threads may write to one log at once.
"""

from engine.audit.chain import Verdict, verify
from engine.audit.entries import Entry, read_entries
from engine.audit.log import AuditLog, default_log

__all__ = ["AuditLog", "Entry", "Verdict", "default_log", "read_entries", "verify"]
