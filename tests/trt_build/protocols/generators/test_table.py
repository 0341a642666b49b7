import io

from rich.console import Console

from tests.trt_build.protocols.generators.runs import results
from trt_build.protocols.generators.table import print_table


def test_nothing_is_cut_and_marks_tell_what_is_beyond_doubt():
    file = io.StringIO()
    print_table(results(), Console(file=file, width=40))
    text = file.getvalue()
    assert "…" not in text
    lines = [line for line in text.splitlines() if "srcnn_x4" in line]
    assert len(lines) == 4
    assert "32.50 ▲" in lines[0]
    assert "+2.50 [+2.00, +3.00]" in lines[0]
    assert "0.500 ▼" in lines[2]
    assert "▲" not in lines[1]  # fused: 0 is in the interval
    assert "excludes 0" in text
