"""The command `trt-build track evaluate`. Thin; the work is in ``trt_build.protocols.tracks``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from trt_build.recipes.data_folder import data_file

CONSOLE = Console(markup=False)


def evaluate(
    network: Path | None = None,
    *,
    out: Path | None = None,
    data: Path | None = None,
    clips: Path | None = None,
    kinds: tuple[str, ...] = ("clean", "camera", "crf18", "crf23", "crf28"),
    sizes: tuple[int, ...] = (12, 16, 24, 32),
    verified: tuple[str, ...] = ("crf23", "crf28"),
    people: int | None = None,
    rounds: int = 500,
    seed: int = 2024,
    cache: Path | None = None,
) -> None:
    """Measure one picture made of several frames, beside single frames and plain averages.

    Parameters
    ----------
    network
        Manifest of a network that fuses tracks; without one only the averages.
    out
        Folder for results.json, results.csv, results.md and pictures.png.
    data
        Zip or folder of square grey faces of people in no training set, one folder for each person;
        $FACESTREAM_DATA/data/lfw_gray/val.zip if not given.
    clips
        Real clips with faces: a video, a folder of them or a pattern; none if not given.
    kinds
        Kinds of simulated tracks: `clean`, `camera`, `crfNUMBER`.
    sizes
        Sides of the small pictures, in pixels; the faces are about half as wide.
    verified
        Kinds for which dlib's network also recognises people (slow).
    people
        Take only this many people, drawn by the seed.
    rounds
        Bootstrap rounds.
    seed
        Seed of the movements, the noise and the bootstrap.
    cache
        Folder for tracks and face vectors; the user's cache if not given.
    """
    from trt_build.cli.progress import RunProgress
    from trt_build.protocols.generators.files import write_csv, write_markdown
    from trt_build.protocols.generators.footage import find_clips
    from trt_build.protocols.generators.table import print_table
    from trt_build.protocols.tables import write_json
    from trt_build.protocols.tracks.evaluation import Request, evaluate_tracks
    from trt_build.protocols.tracks.sheet import write_sheet

    request = Request(
        network=network,
        data=data or data_file("data/lfw_gray/val.zip", "--data"),
        clips=[Path(one) for one in find_clips(clips)] if clips else (),
        kinds=kinds,
        sizes_px=sizes,
        verified=verified,
        people=people,
        rounds=rounds,
        seed=seed,
        cache=cache,
    )
    with RunProgress(CONSOLE) as progress:
        results, strips = evaluate_tracks(request, progress.on_prepare)
    print_table(results, CONSOLE)
    if out is not None:
        write_json(results, out / "results.json")
        write_csv(results, out / "results.csv")
        write_markdown(results, out / "results.md")
        write_sheet(strips, out / "pictures.png")
        CONSOLE.print(f"Table and pictures: {out}", soft_wrap=True)
