"""``facestream check``: is this configuration right, and what does it amount to?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.cli.output.json_lines import write_lines
from engine.config import Config, SourceConfig
from engine.config.blame import lines_of
from engine.config.file import load_config
from engine.contracts.camera import Camera
from engine.contracts.recording import Recording
from engine.errors import UsageError
from engine.fleet.agent import node_name
from engine.pipeline.preflight import check_models
from engine.publish.exposure import check_exposure
from engine.service.build import networks_of
from engine.shipped import shipped
from engine.source.cameras import is_camera
from engine.source.sources import expand_sources
from engine.verify.gallery.opening import gallery_words, key_of
from engine.verify.rules import check_rates
from engine.words.redaction import redact, redact_tree


def check(config: Path | None = None, /, *, profile: str = "", example: str = "", json: bool = False) -> None:
    """Check a configuration file and show its effective settings.

    Models, and addresses, names and credentials files of cameras, are checked too, without connecting; recordings are not
    looked for.

    For example:

        facestream check --example cameras > cameras.yaml
        facestream check cameras.yaml

    Parameters
    ----------
    config
        The YAML file.
    profile
        Use this profile instead of the one that the file names.
    example
        Print a commented configuration to start from: cameras, recordings, recogniser, serve or quick.
    json
        Print one object with every effective value and the warnings, for programs.
    """
    if example:
        sys.stdout.write(_example(example))
        return
    if config is None:
        raise UsageError("give a configuration file, or --example NAME for one to start from")
    loaded = load_config(config, {"profile": profile} if profile else None)
    check_rates(loaded.verify)
    gallery_words(loaded.verify.gallery_place)
    key_of(loaded.verify.gallery_place)
    check_models(loaded)
    networks_of(loaded.serve)
    if loaded.fleet.database:
        node_name(loaded.fleet)
    console = Console(highlight=False)
    warnings: list[str] = list(filter(None, [check_exposure(loaded.publish)]))
    cameras = [source for source in loaded.sources if is_camera(source.uri)]
    with lines_of(config):
        # A recording may be on another machine.
        found = expand_sources(
            loaded.sources, loaded.live, warnings.append, lambda source: None if is_camera(source.uri) else []
        )
    if json:
        write_lines([{"config": redact_tree(msgspec.to_builtins(loaded)), "warnings": [redact(one) for one in warnings]}])
        return
    console.print("ok", style="bold green")
    for warning in warnings:
        console.print(f"warning: {redact(warning)}", style="yellow", markup=False, soft_wrap=True)
    console.print(_table(loaded, dict(zip(map(id, cameras), found, strict=True))))
    console.print("Values in bold differ from the defaults.", style="dim")


def _example(name: str) -> str:
    folder = shipped("pipelines")
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise UsageError(f"there is no example {name!r}: use one of {', '.join(names)}")
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def _table(config: Config, cameras: Mapping[int, Recording | Camera]) -> Table:
    """Return every key with its effective value, one line for each section.

    Args:
        config: to be shown.
        cameras: by the ``id`` of their source, with the names that they will have.
    """
    table = Table("section", "values", show_header=False, box=None, pad_edge=False)
    table.add_row("profile", config.profile)
    for index, source in enumerate(config.sources):
        camera = cameras.get(id(source))
        shown = _camera_words(source, camera) if isinstance(camera, Camera) else _recording_words(source)
        table.add_row(f"sources[{index}]", shown)
    defaults = Config()
    for name in Config.__struct_fields__:
        section = getattr(config, name)
        if not isinstance(section, msgspec.Struct):
            continue
        usual = getattr(defaults, name)
        words = [_word(key, redact_tree(getattr(section, key)), getattr(usual, key)) for key in section.__struct_fields__]
        table.add_row(name, "  ".join(words))
    return table


def _recording_words(source: SourceConfig) -> str:
    named = redact(source.uri) + (f" as {source.name}" if source.name else "")
    return "  ".join([escape(named), *_own_words(source, {})])


def _camera_words(source: SourceConfig, camera: Camera) -> str:
    """Return a camera's address without credentials, its name, and the settings of its own."""
    shown = {"crop_uri": camera.crop_shown} if camera.crop_shown else {}
    return "  ".join([escape(f"{camera.shown} as {camera.name}"), *_own_words(source, shown)])


def _own_words(source: SourceConfig, shown: Mapping[str, object]) -> list[str]:
    """Return the settings that a source has of its own, those that are in ``shown`` as they are there."""
    plain = msgspec.structs.asdict(SourceConfig(uri=source.uri, name=source.name))
    given = {key: value for key, value in msgspec.structs.asdict(source).items() if value != plain[key]}
    return [_word(key, shown.get(key, redact_tree(value)), plain[key]) for key, value in given.items()]


def _word(key: str, value: object, usual: object) -> str:
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else "null" if value is None else str(value) or '""'
    shown = shown.lower() if isinstance(value, bool) else shown
    text = escape(f"{key}={shown}")
    return text if value == usual else f"[bold]{text}[/bold]"
