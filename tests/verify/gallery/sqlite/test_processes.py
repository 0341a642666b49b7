"""Several processes and threads with one gallery."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

from engine.verify.gallery.sqlite.gallery import Gallery
from tests.patience import PATIENCE_SECONDS
from tests.verify.vectors import SHA, add


def test_another_process_sees_a_commit_and_a_removal_at_once(gallery):
    add(gallery, "ada", 1)
    reader = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from engine.verify.gallery.sqlite.gallery import Gallery
        gallery = Gallery(Path({str(gallery.path)!r}), read_only=True)
        for line in sys.stdin:
            print(gallery.version(), *gallery.templates({SHA!r})[0], flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", reader], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask():
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().split()

        assert ask() == ["1", "ada"]
        add(gallery, "bob", 2)
        assert ask() == ["2", "ada", "bob"]
        gallery.remove("ada")
        assert ask() == ["3", "bob"]
        process.stdin.close()
    assert process.returncode == 0


def test_two_processes_may_make_and_fill_the_same_gallery(tmp_path):
    path = tmp_path / "people.sqlite"
    writer = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        import numpy as np
        from engine.verify.gallery.sqlite.gallery import Gallery
        who = sys.argv[1]
        with Gallery(Path({str(path)!r})) as gallery:
            for n in range(20):
                gallery.add(who, np.eye(4, dtype=np.float32)[0], embedder="d", embedder_sha256="s", runtime="r",
                            source_name="", picture_sha256=who + str(n), quality=1)
    """)
    processes = [subprocess.Popen([sys.executable, "-c", writer, who]) for who in ("ada", "bob")]
    assert [process.wait(PATIENCE_SECONDS) for process in processes] == [0, 0]
    with Gallery(path) as gallery:
        assert gallery.version() == 40
        assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 20), ("bob", 20)]


def test_a_new_gallery_may_be_opened_by_many_at_once(tmp_path):
    # Only a collision shows the fault, so there are many occasions for one.
    for number in range(25):
        path, together = tmp_path / f"{number}.sqlite", threading.Barrier(4)

        def made(path=path, together=together):
            together.wait(PATIENCE_SECONDS)
            with Gallery(path) as gallery:
                return gallery.version()

        with ThreadPoolExecutor(4) as pool:
            assert [one.result() for one in [pool.submit(made) for _ in range(4)]] == [0] * 4
