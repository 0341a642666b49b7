"""The assignment problem: which rows belong to which columns so that the sum is largest, by shortest augmenting paths.

Crouse 2016, "On implementing 2D rectangular assignment algorithms", which is what SciPy's ``linear_sum_assignment`` computes;
this version needs no SciPy, and gives the same answer if several assignments are equally good. A frame has few faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_pairs(gain: Floats) -> list[tuple[int, int]]:
    """Return (row, column) of each pair, by row; as many as the shorter side has.

    Args:
        gain: (rows, columns) finite numbers: the value of each pair.
    """
    if not gain.size:
        return []
    if gain.shape[0] > gain.shape[1]:
        return sorted((row, column) for column, row in _cheapest(-gain.T))
    return list(_cheapest(-gain))


def _cheapest(cost: Floats) -> zip[tuple[int, int]]:
    """Return each row with its column; ``cost`` has at least as many columns as rows."""
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of, column_of = np.full(columns, -1), np.full(rows, -1)
    for start in range(rows):
        least, parent = np.full(columns, np.inf), np.full(columns, -1)
        left = np.arange(columns - 1, -1, -1)
        seen_rows, reached, row, end = [], [], start, -1
        shortest = 0.0
        while end < 0:
            seen_rows.append(row)
            way = shortest + cost[row, left] - row_price[row] - column_price[left]
            shorter = way < least[left]
            least[left[shorter]], parent[left[shorter]] = way[shorter], row
            shortest = float(least[left].min())
            ties = np.flatnonzero(least[left] == shortest)
            free = ties[row_of[left[ties]] < 0]
            at = int(free[-1] if len(free) else ties[0])
            column = int(left[at])
            left[at] = left[-1]
            left = left[:-1]
            reached.append(column)
            if row_of[column] < 0:
                end = column
            else:
                row = int(row_of[column])
        row_price[start] += shortest
        for other in seen_rows[1:]:
            row_price[other] += shortest - least[column_of[other]]
        column_price[reached] -= shortest - least[reached]
        while end >= 0:
            row = int(parent[end])
            row_of[end] = row
            column_of[row], end = end, int(column_of[row]) if row != start else -1
    return zip(range(rows), column_of.tolist(), strict=True)
