import html
import json
import os
import re
import shlex
from pathlib import Path

import pytest

from engine.contracts.recording import Recording
from engine.footage.playable import is_playable
from engine.report import moment
from engine.report.page import write_report
from tests.decode.clips import render
from tests.report.test_page import write_run


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "plays"),
    [
        ("a.mp4", "libx264", "yuv420p", True),
        ("a.MP4", "libx264", "yuv420p", True),
        ("a.mp4", "mpeg4", "yuv420p", False),
        ("a.mp4", "libx264", "yuv420p10le", False),
        ("a.mkv", "libx264", "yuv420p", False),
    ],
)
def test_what_a_browser_plays(tmp_path, name, codec, pixels, plays):
    assert is_playable(render(tmp_path / name, codec, pixels, frames=2)) is plays


def test_what_is_no_recording_does_not_play(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"text")
    assert not is_playable(tmp_path / "a.mp4")
    assert not is_playable(tmp_path / "none.mp4")


def played(directory, recording, video="auto", redact="none", out=None, facts=None):
    """Return the links to the recording, and the commands."""
    run = json.loads((directory / "run.json").read_text())
    run |= {"inputs": {"cam1": facts or Recording("cam1", recording).facts()}, "config": {"publish": {"redact": redact}}}
    (directory / "run.json").write_text(json.dumps(run))
    page = write_report(directory, 5, video, out).read_text()
    return re.findall(r'class="play" href="([^"]+)"', page), re.findall(r'<code class="copy">([^<]+)', page)


def test_a_recording_near_the_page_is_played_from_where_it_lies(tmp_path):
    recording = render(tmp_path / "a clip.mp4", frames=2)
    directory = write_run(tmp_path / "out", tracks=1, faces=4)
    links, commands = played(directory, recording)
    assert links == ["../a%20clip.mp4#t=0.0,5.0"]
    assert commands == [f"facestream clip {directory} --track 0"]
    assert played(directory, recording, "never") == ([], commands)
    assert played(directory, recording, redact="blur") == ([], commands), "it would show whom the page hides"
    assert len(played(directory, recording, "always", "blur")[0]) == 1
    far = tmp_path / "a" / "b" / "c" / "page.html"
    far.parent.mkdir(parents=True)
    assert played(directory, recording, out=far)[0] == []
    assert played(directory, recording, "always", out=far)[0] == ["../../../a%20clip.mp4#t=0.0,5.0"]


def test_of_one_in_object_storage_the_command_reads_a_copy(tmp_path):
    directory = write_run(tmp_path / "out", tracks=1, faces=4)
    links, commands = played(directory, None, facts={"path": "s3://footage/day=1/a clip.mp4", "size_bytes": 5})
    assert links == []
    assert html.unescape(commands[0]) == f"facestream clip {directory} --track 0 --recording './a clip.mp4'"
    assert "First copy s3://footage/day=1/a clip.mp4 to where you give the command." in (directory / "report.html").read_text()


def test_a_page_speaks_of_where_its_directory_will_be(tmp_path):
    recording = render(tmp_path / "a.mp4", frames=2)
    directory = write_run(tmp_path / ".making", tracks=1, faces=4)
    played(directory, recording)
    page = write_report(directory, 5, place=tmp_path / "out").read_text()
    assert f"facestream clip {tmp_path}/out --track 0" in page
    assert ".making" not in page


def test_a_recording_that_has_changed_is_not_played(tmp_path, monkeypatch):
    recording = render(tmp_path / "a.mp4", frames=2)
    directory = write_run(tmp_path / "out", tracks=1, faces=4)
    read = Recording("cam1", recording)
    facts = read.facts() | {"sha256": read.sha256()}
    os.utime(recording, (1, 1))
    assert len(played(directory, recording, facts=facts)[0]) == 1, "a copy, of another time"
    page = (directory / "report.html").read_text()
    assert "had the SHA-256 of the one that was read" in page
    changed = bytearray(recording.read_bytes())
    changed[-1] ^= 1
    recording.write_bytes(changed)
    for video in ("auto", "always"):
        assert played(directory, recording, video, facts=facts)[0] == []
        assert "Not played: the recording has changed" in (directory / "report.html").read_text()
    unhashed = {name: value for name, value in facts.items() if name != "sha256"}
    assert played(directory, recording, facts=unhashed)[0] == []
    assert "its SHA-256 was not compared" in (directory / "report.html").read_text()
    assert len(played(directory, recording, "always", facts=unhashed)[0]) == 1
    assert "nobody can say whether this is the recording" in (directory / "report.html").read_text()
    monkeypatch.setattr(moment, "MOST_BYTES", len(changed) - 1)
    assert played(directory, recording, facts=facts)[0] == []
    assert "its SHA-256 was not compared" in (directory / "report.html").read_text()


def test_of_several_streams_the_command_says_whose_track_it_is(tmp_path):
    directory = write_run(tmp_path / "a run", tracks=1, faces=1)
    for name in ("faces.jsonl", "tracks.jsonl"):
        lines = (directory / name).read_text()
        (directory / name).write_text(lines + lines.replace('"cam1"', '"-yard"'))
    run = json.loads((directory / "run.json").read_text())
    run["inputs"] = {stream: {"path": str(tmp_path / "none.mp4")} for stream in ("cam1", "-yard")}
    (directory / "run.json").write_text(json.dumps(run))
    commands = re.findall(r'<code class="copy">([^<]+)', write_report(directory, 5).read_text())
    asked = [shlex.split(html.unescape(command)) for command in commands]
    assert {words[-1] for words in asked} == {"--stream=cam1", "--stream=-yard"}
    assert {tuple(words[:-1]) for words in asked} == {("facestream", "clip", str(directory), "--track", "0")}


def test_of_a_camera_there_is_no_recording(tmp_path):
    write_run(tmp_path, tracks=1, faces=1)
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"inputs": {}}))
    page = write_report(tmp_path, 5).read_text()
    assert 'class="play"' not in page
    assert "facestream clip" not in page


def test_a_playlist_that_is_called_a_recording_reads_nothing_else(tmp_path, monkeypatch):
    render(tmp_path / "a.ts", frames=2)
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nconcat:a.ts\n#EXT-X-ENDLIST\n")
    assert not is_playable(tmp_path / "a.mp4")
    monkeypatch.chdir(tmp_path)
    render(tmp_path / "cam:1.mp4", frames=2)
    assert is_playable(Path("cam:1.mp4")), "no protocol"
