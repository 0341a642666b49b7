import io

from rich.console import Console

from trt_build.cli.progress import RunProgress


def test_what_is_prepared_is_shown_also_while_nobody_knows_how_much_there_is():
    written = io.StringIO()
    with RunProgress(Console(file=written, force_terminal=True, width=100)) as progress:
        progress.on_prepare("pictures.zip", 7, 0)
        progress.on_prepare("faces.zip", 30, 100)
    assert "30 of 100" in written.getvalue()
    assert " 30%" in written.getvalue()
    assert "pictures.zip" in written.getvalue()
    assert " 7\n" in written.getvalue().replace("\x1b[?25h", "").replace("\r", "")
