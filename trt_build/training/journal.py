"""The record of a run: `validation.csv`, and TensorBoard events if it is installed."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

from trt_build.errors import TrainingError

Row = dict[str, float]


class Journal:
    """Writes the validations of one run into its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, history: list[Row]) -> None:
        """Rewrite the table with all rows and add the last one to the TensorBoard events.

        Raises:
            TrainingError: they cannot be written, for instance because the disk is full.
        """
        try:
            self._write_table(history)
            if find_spec("tensorboard") is not None:
                self._write_event(history[-1])
        except OSError as error:
            raise TrainingError(
                f"The record in '{self._folder}' cannot be written: {error.strerror}. Free some space, then --resume."
            ) from None

    def _write_table(self, history: list[Row]) -> None:
        with (self._folder / "validation.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(key for row in history for key in row)))
            writer.writeheader()
            writer.writerows(history)

    def _write_event(self, row: Row) -> None:
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(self._folder / "tensorboard")) as writer:
            for key, value in row.items():
                if key != "step":
                    writer.add_scalar(key, value, int(row["step"]))
