"""``facestream ctl people``: the gallery of a running service."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from engine.cli.service.ctl_ways import OWN, Where, asked, point_out_namesakes, show
from engine.config.serve import MOST_UPLOAD_BYTES
from engine.control import answers, verbs
from engine.errors import FacestreamError, UsageError

people_app = App(name="people", help="The gallery.", help_epilogue="", help_format="plaintext")

Person = Annotated[str, Parameter(help="As `ctl people list` shows it.")]
Whose = Annotated[str, Parameter(help="The person it was set apart for.")]
Apart = Annotated[str, Parameter(help="The beginning of its SHA-256, as `ctl people quarantine` shows it.")]


@people_app.command(name="list")
def list_people(*, where: Where = OWN) -> int:
    """Show who is in the gallery.

    For example:

        facestream ctl people list
    """
    return show(asked(where, verbs.ListPeople(), answers.People), where)


@people_app.command(name="enrol")
def enrol(
    name: Annotated[str, Parameter(help="Who is in the pictures.")],
    /,
    *images: Annotated[Path, Parameter(required=True, help="Pictures that show this person and nobody else.")],
    force: Annotated[bool, Parameter(negative=(), help="Enrol even pictures that look like somebody else.")] = False,
    where: Where = OWN,
) -> int:
    """Add pictures of a person to the gallery.

    For example:

        facestream ctl people enrol "Ada Lovelace" ada-1.jpg ada-2.jpg

    Exit code 1: one was refused or set apart.
    """
    results, problem = list[answers.Enrolled](), None
    for picture in [_picture(path) for path in images]:  # each in a request of its own, as large as one may be
        try:
            verb = verbs.EnrolPerson(name=name, pictures=[picture], force=force)
            results.append(asked(where, verb, answers.Enrolled, more_seconds=90.0))
        except FacestreamError as error:
            problem = error
            break
    if results:  # they are enrolled, whatever became of the next
        show(msgspec.structs.replace(results[-1], pictures=[one for result in results for one in result.pictures]), where)
        point_out_namesakes(where, name)
    if problem is not None:
        raise problem
    return 1 if any(one.outcome in ("refused", "quarantined") for result in results for one in result.pictures) else 0


@people_app.command(name="remove")
def remove_person(name: Person, /, *, where: Where = OWN) -> int:
    """Remove a person from the gallery.

    For example:

        facestream ctl people remove "Ada Lovelace"
    """
    return show(asked(where, verbs.RemovePerson(name=name), answers.Done), where)


@people_app.command(name="rename")
def rename_person(
    name: Person,
    new: Annotated[str, Parameter(help="The new name.")],
    /,
    *,
    join: Annotated[bool, Parameter(negative=(), help="Somebody already has the new name, and both are one person.")] = False,
    where: Where = OWN,
) -> int:
    """Give a person another name, or join two names of one person.

    For example:

        facestream ctl people rename "A. Lovelace" "Ada Lovelace" --join
    """
    return show(asked(where, verbs.RenamePerson(name=name, new_name=new, join=join), answers.Done), where)


@people_app.command(name="quarantine")
def quarantine(*, where: Where = OWN) -> int:
    """Show the pictures that were set apart at enrolment, and why; nobody is compared with them.

    For example:

        facestream ctl people quarantine
    """
    return show(asked(where, verbs.ListQuarantine(), answers.Quarantine), where)


@people_app.command(name="release")
def release_picture(picture: Apart, /, *, name: Whose, where: Where = OWN) -> int:
    """Enrol a picture that was set apart: it does show this person.

    For example:

        facestream ctl people release 3fa91c22 --name "Ada Lovelace"
    """
    return show(asked(where, verbs.ReleasePicture(name=name, picture=picture), answers.Done), where)


@people_app.command(name="drop")
def drop_picture(picture: Apart, /, *, name: Whose, where: Where = OWN) -> int:
    """Forget a picture that was set apart.

    For example:

        facestream ctl people drop 3fa91c22 --name "Ada Lovelace"
    """
    return show(asked(where, verbs.DropPicture(name=name, picture=picture), answers.Done), where)


@people_app.command(name="search")
def search_person(
    image: Annotated[Path, Parameter(help="A picture that shows one person.")],
    /,
    *,
    most: Annotated[int, Parameter(help="Maximum number of people and tracks to show.")] = 20,
    where: Where = OWN,
) -> int:
    """Search for somebody in the gallery and in the tracks of the last days.

    For example:

        facestream ctl people search ada.jpg
    """
    verb = verbs.SearchPerson(picture=_picture(image), most=most)
    return show(asked(where, verb, answers.Found, more_seconds=90.0), where)


@people_app.command(name="wrong")
def not_that_person(name: Person, run_id: str, stream: str, track_id: int, /, *, where: Where = OWN) -> int:
    """Say that a track was given a wrong name.

    For example:

        facestream ctl people wrong "Ada Lovelace" 20260301T140500Z-5f0d7e1a door 17
    """
    verb = verbs.NotThatPerson(name=name, run_id=run_id, stream=stream, track_id=track_id)
    return show(asked(where, verb, answers.Done), where)


def _picture(path: Path) -> verbs.Picture:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not path.is_dir():
            raise UsageError(f"{path} is not a file: give that of a picture")
        if found.st_size > MOST_UPLOAD_BYTES:
            raise UsageError(f"{path} has {found.st_size:,} bytes, and no service accepts more than {MOST_UPLOAD_BYTES:,}")
        return verbs.Picture(content=path.read_bytes(), name=path.name)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
