"""What happens in rendered clips, by kind: each function makes one clip by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from tests.bench.people_clips import FPS, HEIGHT, WIDTH, Backgrounds, Clip, Faces, Rng, Scene, Walker, film, straight

Make = Callable[[Faces, Backgrounds, Rng], Clip]


def crossing(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """Three pairs on three rows, who pass each other; the nearer hides the other."""
    frames = int(rng.integers(75, 125))
    walkers = []
    people = faces.draw(rng, 6)
    for row in range(3):
        size = float(rng.choice([12, 16, 20, 24, 32, 40, 48]))
        sizes = size, size * rng.uniform(0.8, 1.1)
        y = HEIGHT * (row + 0.35) / 3
        middle, reach = rng.uniform(0.35, 0.65) * WIDTH, float(rng.uniform(2.5, 8)) * size
        for side, one in ((-1, 0), (1, 1)):
            name, photographs = people[2 * row + one]
            drop = one * rng.uniform(-0.35, 0.35) * size
            way = straight(frames, (middle - side * reach, y + drop, sizes[one]), (middle + side * reach, y + drop, sizes[one]))
            walkers.append(_walker(name, photographs, way, rng))
    return film("crossing", [Scene(backgrounds.draw(rng), walkers, frames)], rng)


def cuts(faces: Faces, backgrounds: Backgrounds, rng: Rng, *, still: bool = False, fade: int = 0) -> Clip:
    """Five scenes of a second with one to three people; of stills, faces often stand where others stood."""
    scenes = []
    places = [(rng.uniform(0.15, 0.85) * WIDTH, rng.uniform(0.2, 0.6) * HEIGHT, rng.choice([16, 24, 32, 48])) for _ in range(3)]
    for _ in range(5):
        walkers = []
        for place, (name, photographs) in zip(places, faces.draw(rng, int(rng.integers(1, 4))), strict=False):
            x, y, size = (value + rng.uniform(-0.3, 0.3) * place[2] for value in place)
            way = (
                np.tile([x, y, size], (FPS, 1))
                if still
                else straight(FPS, (x, y, size), (x + rng.uniform(-1, 1) * size, y, size))
            )
            walkers.append(_walker(name, photographs, way, rng))
        scenes.append(Scene(backgrounds.draw(rng), walkers, FPS))
    kind = "dissolves" if fade else "stills" if still else "cuts"
    return film(kind, scenes, rng, noise=0.0 if still else 2.0, fade=fade)


def stills(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """Five pictures without movement and noise, a second each."""
    return cuts(faces, backgrounds, rng, still=True)


def dissolves(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """Scenes that fade into each other in half a second."""
    return cuts(faces, backgrounds, rng, still=bool(rng.random() < 0.5), fade=12)


def replaced(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """In four places somebody stands for 1.5 s, and then somebody else, at once or after up to a second."""
    frames = 4 * FPS
    walkers = []
    people = faces.draw(rng, 8)
    for place in range(4):
        size = float(rng.choice([12, 16, 20, 24, 32, 40, 48]))
        x, y = (place % 2 + 0.5) * WIDTH / 2 + rng.uniform(-60, 60), (place // 2 + 0.4) * HEIGHT / 2
        change, gap = int(rng.integers(30, 50)), int(rng.choice([0, 1, 3, 6, 12, 25]))
        for one, (first, last) in enumerate(((0, change), (change + gap, frames))):
            name, photographs = people[2 * place + one]
            there = (x + rng.uniform(-0.25, 0.25) * size, y + rng.uniform(-0.25, 0.25) * size, size * rng.uniform(0.9, 1.1))
            way = straight(frames, there, there)
            way[:first], way[last:] = np.nan, np.nan
            walkers.append(_walker(name, photographs, way, rng))
    return film("replaced", [Scene(backgrounds.draw(rng), walkers, frames)], rng)


def gaps(faces: Faces, backgrounds: Backgrounds, rng: Rng, photographs: int = 1) -> Clip:
    """Three people walk behind a post for 0.2 to 1.2 s; with two photographs, another one of them comes out."""
    frames = 4 * FPS
    post = int(rng.integers(18, 60))
    left = int(WIDTH * rng.uniform(0.4, 0.6))
    walkers = []
    for row, (name, pictures) in enumerate(faces.draw(rng, 3, photographs)):
        size = float(rng.choice([12, 16, 20, 24, 32, 40, 48]))
        hidden_seconds = rng.uniform(0.2, 1.2)
        speed = (post + size) / hidden_seconds / FPS
        side = rng.choice([-1, 1])
        at = left + post / 2
        y = HEIGHT * (row + 0.35) / 3
        way = straight(frames, (at - side * speed * frames / 2, y, size), (at + side * speed * frames / 2, y, size))
        walker = _walker(name, pictures, way, rng)
        walker.shown[frames // 2 :] = photographs - 1
        walkers.append(walker)
    return film(
        "gaps" if photographs == 1 else "gaps, another photograph",
        [Scene(backgrounds.draw(rng), walkers, frames, [(left, left + post)])],
        rng,
    )


def other_photograph(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """What a photograph of another year, in other light, makes harder than a second ever does."""
    return gaps(faces, backgrounds, rng, photographs=2)


def walks(faces: Faces, backgrounds: Backgrounds, rng: Rng) -> Clip:
    """Four people walk alone, slowly or fast: nothing should part them."""
    frames = 3 * FPS
    walkers = []
    for row, (name, photographs) in enumerate(faces.draw(rng, 4)):
        size = float(rng.choice([12, 16, 20, 24, 32, 40, 48]))
        speed = rng.uniform(0.5, 8) * size / FPS
        y = HEIGHT * (row + 0.4) / 4
        side = rng.choice([-1, 1])
        middle = WIDTH / 2
        way = straight(frames, (middle - side * speed * frames / 2, y, size), (middle + side * speed * frames / 2, y, size))
        walkers.append(_walker(name, photographs, way, rng))
    return film("walks", [Scene(backgrounds.draw(rng), walkers, frames)], rng)


KINDS: dict[str, Make] = {
    "crossing": crossing,
    "cuts": cuts,
    "stills": stills,
    "dissolves": dissolves,
    "replaced": replaced,
    "gaps": gaps,
    "gaps, another photograph": other_photograph,
    "walks": walks,
}


def _walker(name: str, photographs: list[Uint8], way: NDArray[np.float64], rng: Rng) -> Walker:
    return Walker(name, photographs, way, np.zeros(len(way), np.int64), int(rng.integers(30, 200)), float(rng.uniform(0, 1)))
