"""What a bench found, in a file, as it is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    """A file with a JSON object a line, each on the disk before the next is measured; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is not None:
            path.write_text("")

    def write(self, row: Row) -> None:
        """Add a line."""
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(row) + "\n")
