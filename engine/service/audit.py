"""Who did what: the seam to the audit log."""

from __future__ import annotations


class Audit:
    """Keeps nothing; a service that is given another one keeps what this is told."""

    def record(self, who: str, verb: str, subject: str, outcome: str) -> None:
        """Note that somebody has changed something, or has tried to.

        Args:
            who: as ``local:1000``, ``key:NAME`` or ``web:NAME``.
            verb: as ``streams.add``.
            subject: the stream or person; never a credential.
            outcome: ``done``, or the code of the problem.
        """
