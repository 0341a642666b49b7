"""Who did what, on whom, when, and how it ended: a file that only grows, each of whose lines holds the hash of the one before.

    audit.jsonl          one entry a line, see ``entries.py``
    audit.jsonl.head     the number of lines and the hash of the last, so that lines missing at the end are noticed
    audit.jsonl.people   which pseudonym is whose, see ``people.py``: this makes a name in the log erasable

It needs no run and no service. Several processes and threads may write to one log at the same time.
"""

from engine.audit.chain import Verdict, verify
from engine.audit.entries import Entry, read_entries
from engine.audit.log import AuditLog, default_log

__all__ = ["AuditLog", "Entry", "Verdict", "default_log", "read_entries", "verify"]
