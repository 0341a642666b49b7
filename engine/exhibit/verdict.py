"""What was found when a directory was compared with its chain."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.words.times import utc_words


@dataclass(frozen=True)
class Fault:
    """One thing does not fit the chain."""

    file: str
    """Relative to the directory."""
    what: str
    """What is wrong with it, to follow its name and a colon."""
    at_ns: int = 0
    """When the block was written that vouches for it (Unix, nanoseconds); 0: none does."""
    block: int = -1
    """Its number."""
    line: int = 0
    """From 1; 0: the whole file, or a vector, which ``what`` names."""

    @property
    def sentence(self) -> str:
        """For a person."""
        when = f" (vouched for by block {self.block}, {utc_words(self.at_ns)})" if self.at_ns else ""
        return f"{self.file}: {self.what}{when}"


@dataclass
class Verdict:
    """All of it."""

    directory: str
    blocks: int = 0
    """Whole ones, up to the first that is not."""
    head: str = ""
    """SHA-256 of the last of them: keep it elsewhere to ask for it later."""
    pieces: int = 0
    """Lines and vectors that are as they were written."""
    pictures: int = 0
    """Likewise."""
    went: int = 0
    """Pictures that were deleted by retention."""
    attempts: list[str] = field(default_factory=list)
    """``run_id`` of each attempt, oldest first."""
    outcome: str = ""
    """How the run ended; empty: the chain does not say."""
    signed: int = 0
    """Blocks whose signature was checked and is right."""
    keys: list[str] = field(default_factory=list)
    """Public keys that have signed, in their order."""
    unsigned_corrections: int = 0
    """Blocks of a signed chain that hold only what people have said, and that nobody has signed."""
    signatures_checked: bool = True
    """False: there are signatures, and the package that checks them is not installed."""
    faults: list[Fault] = field(default_factory=list)
    """The earliest in the chain first; none: everything is as it was written."""
    notes: list[str] = field(default_factory=list)
    """What is told, and is no fault."""

    @property
    def is_whole(self) -> bool:
        return not self.faults
