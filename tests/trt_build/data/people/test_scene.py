import av
import numpy as np
import pytest

from trt_build.data.people.recording import NOBODY, Clip, joined, plan
from trt_build.data.people.recording import _owner as owner_of
from trt_build.data.people.scene import FPS, FRAMES, HEIGHT, WIDTH, Actor, places, render, ways_of


def actor(tone: int) -> Actor:
    """A bright square for a face, in the middle of a grey picture."""
    luma = np.full((60, 60), 90, np.uint8)
    luma[20:40, 20:40] = tone
    return Actor(f"p{tone}/0", luma, (20.0, 20.0, 20.0, 20.0))


@pytest.mark.parametrize("size_px", [12.0, 16.0, 32.0, 48.0])
def test_no_face_ever_leaves_the_picture_or_comes_near_another(size_px):
    middles = places(size_px)
    ways = np.stack([way[:, :2] for way in ways_of(len(middles), size_px, 5)])
    half = 0.75 * size_px
    assert ways.min() > half
    assert (ways.max(axis=(0, 1)) < np.array([WIDTH, HEIGHT]) - half).all()
    for at in (0, FRAMES // 2, FRAMES - 1):
        apart = np.linalg.norm(ways[:, None, at] - ways[None, :, at], axis=-1)
        assert np.where(apart > 0, apart, np.inf).min() > 1.5 * size_px


def test_a_clip_shows_each_face_where_its_way_says(tmp_path):
    path = tmp_path / "one.mp4"
    actors = [actor(tone) for tone in (230, 20)]
    render(path, actors, 40.0, 3)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        rate = container.streams.video[0].average_rate
    assert (len(frames), frames[0].shape, rate) == (FRAMES, (HEIGHT, WIDTH), FPS)
    for at in (0, FRAMES - 1):
        tones = [frames[at][round(y), round(x)] for x, y, _, _ in (way[at] for way in ways_of(2, 40.0, 3))]
        assert tones[0] > 130 > 90 > tones[1]


def test_the_same_arguments_give_the_same_file(tmp_path):
    for name in ("one", "two"):
        render(tmp_path / f"{name}.mp4", [actor(230)], 24.0, 3)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_track_belongs_to_the_face_it_lies_on_all_the_time():
    clip = Clip(32.0, 9, ["ada/1", "bob/1"])
    ways = ways_of(2, 32.0, 9)

    def seen(person: int, frame: int, off: float = 0.0, size: float = 32.0) -> dict:
        x, y = ways[person][frame, :2]
        return {"box": [x - size / 2 + off, y - size / 2, size, size], "pts_seconds": frame / FPS}

    assert owner_of([seen(0, 3), seen(0, 40)], clip, ways) == "ada/1"
    assert owner_of([seen(1, 3)], clip, ways) == "bob/1"
    assert owner_of([seen(0, 3), seen(1, 40)], clip, ways) == NOBODY
    assert owner_of([seen(0, 3, off=16.0)], clip, ways) == NOBODY
    assert owner_of([seen(0, 3, size=80.0)], clip, ways) == NOBODY


def test_each_photograph_is_shown_once_in_clips_that_differ():
    names = [f"p/{number}" for number in range(2 * len(places(48.0)) + 1)]
    clips = plan(names, 48.0, 100)
    assert [name for clip in clips for name in clip.names] == names
    assert len({clip.seed for clip in clips}) == len(clips) == 3


def test_faces_of_runs_that_are_joined_stay_with_their_tracks():
    part = {"picture": np.array(["a", "b"]), "face_track": np.array([0, 1, 1])}
    assert joined([part, part])["face_track"].tolist() == [0, 1, 1, 2, 3, 3]
