"""``facestream fleet``: which cameras a fleet should have, and which node runs which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.errors import UsageError
from engine.postgres.address import is_postgres, refuse_password, without_password
from engine.postgres.connection import connect
from engine.words.times import to_the_second

if TYPE_CHECKING:
    from psycopg import Connection

    from engine.fleet.view import CameraView, FleetView, NodeView

_ABOUT = """\
Share cameras out among many machines.

A node is a `facestream serve` whose configuration has a section `fleet`. FACESTREAM_FLEET_DATABASE stands for --database.

For example:

    facestream fleet apply FLEET.yaml --database postgresql://db.example.org/fleet
    facestream fleet status
    facestream fleet drain box-2
    facestream fleet undrain box-2
    facestream fleet rebalance --dry-run
    facestream fleet forget box-3

Exit code 1: not done; of `status` also: a camera has no node.
"""

fleet_app = App(name="fleet", help=_ABOUT, help_epilogue="", help_format="plaintext")
DatabaseOption = Annotated[
    str, Parameter(env_var="FACESTREAM_FLEET_DATABASE", help="The fleet's database, postgresql://USER@HOST/NAME.")
]
NodeArgument = Annotated[str, Parameter(help="As `fleet status` shows it.")]


@fleet_app.command(name="apply")
def apply_fleet(
    file: Annotated[Path, Parameter(help="YAML file with the cameras of the fleet.")],
    /,
    *,
    database: DatabaseOption,
    dry_run: Annotated[bool, Parameter(negative=(), help="Show what would change, without changing it.")] = False,
    json: JsonOption = False,
) -> int:
    """Apply a file of cameras to the fleet, and show what changes: + added, ~ changed, - removed.

    For example:

        facestream fleet apply FLEET.yaml --dry-run
    """
    from engine.fleet.file import read_fleet
    from engine.fleet.store import apply

    fleet = read_fleet(file)
    with _database(database) as connection:
        changes = apply(connection, fleet, dry_run=dry_run)
    if json:
        write_lines([{"changes": changes, "applied": not dry_run}])
        return 0
    for line in changes or ["nothing changes"]:
        say(line)
    return 0


@fleet_app.command(name="status")
def show_status(*, database: DatabaseOption, json: JsonOption = False) -> int:
    """Show the nodes and the cameras, and why a camera has no node.

    Exit code 1: a camera has no node.

    For example:

        facestream fleet status
    """
    from engine.fleet.view import fleet_view

    with _database(database) as connection:
        view = fleet_view(connection)
    if json:
        write_lines([msgspec.to_builtins(view) | {"summary": view.summary}])
    else:
        _show(view)
    return 1 if any(camera.wanted for camera in view.cameras) else 0


@fleet_app.command(name="drain")
def drain_node(node: NodeArgument, /, *, database: DatabaseOption) -> int:
    """Move a node's cameras to others, one after another, and give it no new ones; do this before an upgrade.

    For example:

        facestream fleet drain box-2
    """
    from engine.fleet.store import drain

    with _database(database) as connection:
        drain(connection, node)
    say(f"{node} is being drained: `facestream fleet status` shows when its cameras are elsewhere")
    return 0


@fleet_app.command(name="undrain")
def undrain_node(node: NodeArgument, /, *, database: DatabaseOption) -> int:
    """Let a node be given cameras again.

    For example:

        facestream fleet undrain box-2
    """
    from engine.fleet.store import undrain

    with _database(database) as connection:
        undrain(connection, node)
    say(f"{node} may be given cameras")
    return 0


@fleet_app.command(name="rebalance")
def rebalance_nodes(
    *,
    database: DatabaseOption,
    dry_run: Annotated[bool, Parameter(negative=(), help="Show which cameras would move, without moving them.")] = False,
    json: JsonOption = False,
) -> int:
    """Give each node its share of the cameras, for example after a new node has joined, and show which move.

    Shares are by `fleet.capacity` if all nodes have one, otherwise by their processors. As few cameras as necessary move,
    one after another from each node.

    For example:

        facestream fleet rebalance --dry-run
    """
    from engine.fleet.rebalance import rebalance

    with _database(database) as connection:
        moves = rebalance(connection, dry_run=dry_run)
    if json:
        write_lines([{"moves": [move._asdict() for move in moves], "applied": not dry_run}])
        return 0
    for line in [f"{move.camera} {move.before} -> {move.after}" for move in moves] or ["nothing moves"]:
        say(line)
    return 0


@fleet_app.command(name="forget")
def forget_node(node: NodeArgument, /, *, database: DatabaseOption) -> int:
    """Remove a node that is switched off for good.

    Its cameras are placed elsewhere at once, including those that only it may have.
    You vouch that it no longer runs: no other machine can tell.

    For example:

        facestream fleet forget box-3
    """
    from engine.fleet.store import forget

    with _database(database) as connection:
        forget(connection, node)
    say(f"{node} is not a node of the fleet any more")
    return 0


@contextmanager
def _database(where: str) -> Iterator[Connection[Any]]:
    if not is_postgres(where):
        raise UsageError(
            f"--database {without_password(where)!r} is not a database of a fleet: give postgresql://USER@HOST/NAME"
        )
    refuse_password(where, "--database")
    with connect(where, application="fleet") as connection:
        yield connection


def _show(view: FleetView) -> None:
    console = Console(highlight=False)
    if view.nodes:
        titles = ("renewed", "cameras", "cpu", "p99 ms", "overload")
        columns = [Column("node", "word"), Column("stands", "word"), *(Column(title, "number") for title in titles)]
        console.print(Rows([*columns, Column("labels"), Column("version")], [_node_cells(node) for node in view.nodes]))
    if view.cameras:
        columns = [Column("camera", "word"), Column("address"), Column("node", "word"), Column("since", "word")]
        console.print(Rows([*columns, Column("why not", "sentence")], [_camera_cells(one) for one in view.cameras]))
    say(view.summary)


def _node_cells(node: NodeView) -> list[str]:
    load, about = node.load, node.about
    told = [
        node.name,
        "drained" if node.drained and node.alive else node.standing,
        f"{node.renewed_seconds:.0f} s ago",
        f"{node.holds}" + (f" of {node.cameras}" if node.cameras != node.holds else ""),
        f"{load.cpu_share:.0%}",
        f"{load.p99_ms:.0f}",
        f"{load.overload_level}",
        " ".join(f"{key}={value}" for key, value in about.labels.items()),
        about.version,
    ]
    return [plain(cell) for cell in told]


def _camera_cells(camera: CameraView) -> list[str]:
    told = [camera.name, camera.uri, camera.node or "-", to_the_second(camera.since), camera.reason]
    return [plain(cell) for cell in told]
