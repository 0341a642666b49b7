import csv
import json
import sqlite3
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.errors import GalleryError
from engine.verify.gallery import Gallery, default_gallery_path, open_gallery, unrecorded

SHA = "a" * 64
RUNTIME = "onnxruntime 1.32.0 CPUExecutionProvider float32"


def vector(seed, length=16):
    values = np.random.default_rng(seed).normal(size=length).astype(np.float32)
    return values / np.linalg.norm(values)


def add(gallery, name, seed, embedder_sha256=SHA, embedder="dlib", length=16, quality=0.5):
    gallery.add(
        name, vector(seed, length), embedder=embedder, embedder_sha256=embedder_sha256, runtime=RUNTIME,
        source_name=f"{name}-{seed}.jpg", picture_sha256=f"{seed:064d}", quality=quality,
    )  # fmt: skip


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


def test_a_new_gallery_is_empty_private_and_in_wal_mode(gallery):
    assert gallery.version() == 0
    assert gallery.list() == []
    names, matrix = gallery.templates(SHA)
    assert names == []
    assert matrix.shape == (0, 0)
    assert gallery.path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(gallery.path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    other.close()


def test_what_is_added_comes_back(gallery):
    add(gallery, "bob", 1)
    add(gallery, "ada", 2, quality=0.4)
    add(gallery, "ada", 3, quality=0.7)
    names, matrix = gallery.templates(SHA)
    assert names == ["ada", "ada", "bob"]
    np.testing.assert_array_equal(matrix, np.stack([vector(2), vector(3), vector(1)]))
    assert matrix.dtype == np.float32
    ada, bob = gallery.list()
    assert (ada.name, ada.pictures, ada.embedders, ada.best_quality) == ("ada", 2, ("dlib",), 0.7)
    assert (bob.name, bob.pictures) == ("bob", 1)
    assert ada.last_enrolled_at.endswith("+00:00")


def test_every_change_raises_the_version_and_nothing_else_does(gallery):
    add(gallery, "ada", 1)
    assert gallery.version() == 1
    gallery.list()
    gallery.templates(SHA)
    assert gallery.remove("nobody") == 0
    assert gallery.version() == 1
    add(gallery, "ada", 2)
    assert gallery.remove("ada") == 2
    assert gallery.version() == 3


def test_the_same_picture_is_not_added_twice(gallery):
    add(gallery, "ada", 1)
    assert gallery.holder(f"{1:064d}", SHA) == ("ada", RUNTIME)
    assert gallery.holder(f"{1:064d}", "b" * 64) is None
    with pytest.raises(GalleryError, match="enrolled already"):
        add(gallery, "bob", 1)
    assert gallery.version() == 1
    assert [person.name for person in gallery.list()] == ["ada"]
    gallery.remove("ada")
    add(gallery, "bob", 1)


def test_vectors_of_another_embedder_are_never_compared(gallery):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2, embedder_sha256="b" * 64, embedder="arc, face", length=32)
    add(gallery, "cy", 3)
    add(gallery, "cy", 4, embedder_sha256="b" * 64, embedder="arc, face", length=32)
    snapshot = gallery.snapshot(SHA)
    assert snapshot.names == ["ada", "cy"]
    assert snapshot.other_embedder == ["bob"]
    assert snapshot.matrix.shape == (2, 16)
    assert gallery.snapshot("b" * 64).names == ["bob", "cy"]
    assert gallery.list()[2].embedders == ("arc, face", "dlib")


def test_a_vector_that_does_not_fit_is_refused_and_changes_nothing(gallery):
    add(gallery, "ada", 1)
    with pytest.raises(GalleryError, match="16 values"):
        add(gallery, "bob", 2, length=32)
    for name, values in (("bob", np.ones(16)), ("bob", np.full(16, np.nan)), (" ", vector(2)), ("bob", np.eye(4))):
        with pytest.raises(ValueError, match="length 1"):
            gallery.add(
                name, values, embedder="d", embedder_sha256=SHA, runtime="", source_name="", picture_sha256="x", quality=1
            )
    assert gallery.version() == 1


def test_another_process_sees_a_commit_and_a_removal_at_once(gallery):
    add(gallery, "ada", 1)
    reader = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from engine.verify.gallery import Gallery
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
        from engine.verify.gallery import Gallery
        who = sys.argv[1]
        with Gallery(Path({str(path)!r})) as gallery:
            for n in range(20):
                gallery.add(who, np.eye(4, dtype=np.float32)[0], embedder="d", embedder_sha256="s", runtime="r",
                            source_name="", picture_sha256=who + str(n), quality=1)
    """)
    processes = [subprocess.Popen([sys.executable, "-c", writer, who]) for who in ("ada", "bob")]
    assert [process.wait(60) for process in processes] == [0, 0]
    with Gallery(path) as gallery:
        assert gallery.version() == 40
        assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 20), ("bob", 20)]


def test_a_new_gallery_may_be_opened_by_many_at_once(tmp_path):
    # Only a collision shows the fault, so there are many occasions for one.
    for number in range(25):
        path, together = tmp_path / f"{number}.sqlite", threading.Barrier(4)

        def made(path=path, together=together):
            together.wait(10)
            with Gallery(path) as gallery:
                return gallery.version()

        with ThreadPoolExecutor(4) as pool:
            assert [one.result() for one in [pool.submit(made) for _ in range(4)]] == [0] * 4


def test_a_removed_vector_is_overwritten_in_the_file(gallery):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2)
    assert gallery.remove("ada") == 1
    gallery.close()
    content = b"".join(path.read_bytes() for path in gallery.path.parent.iterdir())
    assert vector(1).tobytes() not in content
    assert vector(2).tobytes() in content


@pytest.mark.parametrize("embeddings", [False, True])
def test_export(gallery, tmp_path, embeddings):
    add(gallery, "Ada, Countess", 1)
    add(gallery, "Bjørn", 2)
    assert gallery.export(tmp_path / "people.jsonl", embeddings) == 2
    assert gallery.export(tmp_path / "people.csv", embeddings) == 2
    lines = [json.loads(line) for line in (tmp_path / "people.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for rows in (lines, table):
        assert [row["identity"] for row in rows] == ["Ada, Countess", "Bjørn"]
        assert [float(row["quality"]) for row in rows] == [0.5, 0.5]
        assert all(("embedding" in row) == embeddings for row in rows)
    if embeddings:
        np.testing.assert_array_equal(np.float32(lines[0]["embedding"]), vector(1))
        np.testing.assert_array_equal(np.float32(table[1]["embedding"].split()), vector(2))
    assert (tmp_path / "people.csv").stat().st_mode & 0o077 == 0


def test_export_says_what_is_wrong_and_leaves_nothing(gallery, tmp_path):
    with pytest.raises(GalleryError, match=r"ends in \.jsonl or \.csv"):
        gallery.export(tmp_path / "people.pickle")
    with pytest.raises(GalleryError, match="No such file or directory"):
        gallery.export(tmp_path / "missing" / "people.csv")
    assert [path.name for path in tmp_path.iterdir() if "sqlite" not in path.name] == []


def test_what_is_not_a_gallery_is_refused_untouched(tmp_path):
    text = tmp_path / "notes.sqlite"
    text.write_text("not a database, but long enough to look at: " * 40)
    with pytest.raises(GalleryError, match="not a database"):
        Gallery(text)
    foreign = tmp_path / "foreign.sqlite"
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE state (version)")
    database.commit()
    database.close()
    before = foreign.read_bytes()
    with pytest.raises(GalleryError, match="not a gallery of facestream"):
        Gallery(foreign)
    assert foreign.read_bytes() == before


def test_a_truncated_gallery_is_an_error_not_an_empty_one(gallery):
    for seed in range(30):
        add(gallery, f"person-{seed}", seed, length=512)
    gallery.close()
    content = gallery.path.read_bytes()
    gallery.path.write_bytes(content[: len(content) // 3 // 4096 * 4096])
    with pytest.raises(GalleryError, match="restore it"), Gallery(gallery.path) as damaged:
        damaged.templates(SHA)


def as_of_an_earlier_version(gallery):
    """Close it, and take out what format 1 did not have."""
    gallery.close()
    database = sqlite3.connect(gallery.path)
    for column in ("runtime", "doubt"):
        database.execute(f"ALTER TABLE pictures DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 1")
    database.close()
    return gallery.path


def test_what_computed_a_vector_is_recorded_and_exported(gallery, tmp_path):
    add(gallery, "ada", 1)
    assert gallery.list()[0].unrecorded == 0
    assert unrecorded(gallery.list()) == ""
    gallery.export(tmp_path / "people.jsonl")
    assert json.loads((tmp_path / "people.jsonl").read_text())["runtime"] == RUNTIME


@pytest.mark.parametrize("read_only", [True, False])
def test_a_gallery_of_an_earlier_version_is_read_compared_and_told_of(gallery, tmp_path, read_only):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2)
    path = as_of_an_earlier_version(gallery)
    before = path.read_bytes()
    for _ in range(2):
        with Gallery(path, read_only=read_only) as opened:
            names, matrix = opened.templates(SHA)
            assert names == ["ada", "bob"]
            np.testing.assert_array_equal(matrix, np.stack([vector(1), vector(2)]))
            assert [person.unrecorded for person in opened.list()] == [1, 1]
            assert unrecorded(opened.list()).startswith("ada, bob: enrolled by an earlier version")
            assert opened.holder(f"{1:064d}", SHA) == ("ada", "")
            assert opened.export(tmp_path / "people.csv") == 2
            if read_only:
                with pytest.raises(GalleryError, match="cannot be used"):
                    add(opened, "cy", 3)
    assert (path.read_bytes() == before) == read_only


def test_an_unrecorded_vector_is_replaced_by_the_same_picture_of_the_same_person(gallery):
    add(gallery, "ada", 1)
    with Gallery(as_of_an_earlier_version(gallery)) as opened:
        with pytest.raises(GalleryError, match="enrolled already"):
            add(opened, "bob", 1)
        add(opened, "ada", 1)
        assert opened.holder(f"{1:064d}", SHA) == ("ada", RUNTIME)
        assert [(person.name, person.pictures, person.unrecorded) for person in opened.list()] == [("ada", 1, 0)]
        with pytest.raises(GalleryError, match="enrolled already"):
            add(opened, "ada", 1)


def test_a_newer_format_is_refused(gallery):
    gallery.close()
    database = sqlite3.connect(gallery.path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(GalleryError, match="format 9"):
        Gallery(gallery.path)


def test_paths_that_cannot_be_a_gallery(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match="cannot open the gallery"):
        Gallery(tmp_path / "file" / "people.sqlite")
    with pytest.raises(GalleryError, match="cannot open the gallery"):
        Gallery(tmp_path)
    with pytest.raises(GalleryError, match="enrol someone first"):
        Gallery(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_reader_cannot_write(gallery):
    with Gallery(gallery.path, read_only=True) as reader, pytest.raises(GalleryError, match="permissions"):
        add(reader, "ada", 1)
    assert gallery.version() == 0


def test_the_default_is_in_the_users_own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_gallery_path() == tmp_path / "data" / "facestream" / "gallery.sqlite"
    with open_gallery("") as gallery:
        assert gallery.path == default_gallery_path()
    with open_gallery(str(tmp_path / "other.sqlite")) as gallery:
        assert gallery.path == tmp_path / "other.sqlite"


def test_a_name_is_found_by_every_spelling(gallery):
    add(gallery, "Jose\u0301 ", 1)
    add(gallery, "Jos\u00e9", 2)
    add(gallery, "jos\u00e9", 3)
    assert [(person.name, person.pictures) for person in gallery.list()] == [("Jos\u00e9", 2), ("jos\u00e9", 1)]
    assert gallery.rename("Jose\u0301", "  Pepe  ") == 2
    assert gallery.version() == 4
    assert gallery.rename("nobody", "Ada") == 0
    assert gallery.version() == 4
    assert gallery.rename("jos\u00e9", "Pepe") == 1  # both are one person now
    assert gallery.templates(SHA)[0] == ["Pepe"] * 3
    assert gallery.remove("Pepe ") == 3


def test_why_a_picture_was_in_doubt_is_kept(gallery, tmp_path):
    add(gallery, "ada", 1)
    gallery.add(
        "ada", vector(2), embedder="dlib", embedder_sha256=SHA, runtime="", source_name="b.jpg", picture_sha256="2",
        quality=0.5,
        doubt="looks like bob (cosine 0.951)",
    )  # fmt: skip
    assert gallery.list()[0].in_doubt == 1
    gallery.export(tmp_path / "people.csv")
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        assert [row["doubt"] for row in csv.DictReader(file)] == ["", "looks like bob (cosine 0.951)"]


@pytest.fixture
def older(tmp_path):
    """A gallery as format 1 had it: no doubts, and names as they were typed."""
    path = tmp_path / "older.sqlite"
    database = sqlite3.connect(path)
    database.executescript(
        """PRAGMA journal_mode = WAL; CREATE TABLE state (version INTEGER NOT NULL); INSERT INTO state VALUES (3);
        CREATE TABLE pictures (id INTEGER PRIMARY KEY, identity TEXT NOT NULL CHECK (identity <> ''), embedder TEXT NOT NULL,
        embedder_sha256 TEXT NOT NULL, embedding BLOB NOT NULL, source_name TEXT NOT NULL, picture_sha256 TEXT NOT NULL,
        quality REAL NOT NULL, enrolled_at TEXT NOT NULL, UNIQUE (picture_sha256, embedder_sha256));
        PRAGMA application_id = 1718842471; PRAGMA user_version = 1;"""
    )
    for seed, name in enumerate(("Jos\u00e9", "Jose\u0301", "Ada  Lovelace")):
        row = (name, "dlib", SHA, vector(seed).tobytes(), "a.jpg", str(seed), 0.5, "2026-01-01T00:00:00+00:00")
        database.execute(
            "INSERT INTO pictures (identity, embedder, embedder_sha256, embedding, source_name, picture_sha256, quality,"
            " enrolled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    database.commit()
    database.close()
    return path


def test_a_reader_takes_an_older_gallery_as_it_is(older, tmp_path):
    before = older.read_bytes()
    with Gallery(older, read_only=True) as gallery:
        assert [(person.name, person.pictures) for person in gallery.list()] == [("Ada Lovelace", 1), ("Jos\u00e9", 2)]
        assert gallery.templates(SHA)[0] == ["Ada Lovelace", "Jos\u00e9", "Jos\u00e9"]
        assert gallery.export(tmp_path / "people.jsonl") == 3
        assert gallery.version() == 3
    assert older.read_bytes() == before


def test_a_writer_brings_an_older_gallery_to_the_new_format(older):
    with Gallery(older) as gallery:
        assert gallery.version() == 4  # readers look again
        assert [(person.name, person.pictures) for person in gallery.list()] == [("Ada Lovelace", 1), ("Jos\u00e9", 2)]
        assert gallery.remove("Jose\u0301") == 2
    with Gallery(older) as again, Gallery(older, read_only=True) as reader:
        assert again.version() == reader.version() == 5
        assert [person.name for person in reader.list()] == ["Ada Lovelace"]
