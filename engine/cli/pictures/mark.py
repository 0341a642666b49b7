"""``facestream mark``: the marks that say that a picture was enhanced, and its signature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.text import Text

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OTHER_FOLDER, OverwriteOption, check_new, write_result
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.decode.still import read_content, read_still
from engine.errors import PictureError, UsageError
from engine.marking import THRESHOLD, Marks, Provenance, load_credentials, marks_of, sign_picture
from engine.source.picture_files import picture_files
from engine.words.lists import first_of
from engine.words.numbers import count

Pictures = Annotated[Path, Parameter(required=True, help="Picture files, or folders of them.")]
_END = "-signed"

mark_app = App(
    name="mark",
    help="Check pictures for the marks of enhancement, or sign one.",
    help_epilogue="",
    help_format="plaintext",
)


@mark_app.command
def verify(
    *pictures: Pictures,
    trust: Annotated[Path | None, Parameter(help="PEM file of the certificates that may vouch for signers.")] = None,
    json: JsonOption = False,
) -> int:
    """Check for the three marks: XMP in the file, the mark in the pixels, and C2PA.

    In a folder, such as a run's, every picture is checked, including subfolders.

    A missing mark proves nothing, as each of them can be removed. Anybody can write
    XMP, the key of the mark in the pixels is public, and C2PA is worth as much as the
    certificate that signed it.

    For example:

        facestream mark verify face-enhanced.png

        facestream mark verify evidence/ --trust our-laboratory.pem --json

    Exit code 1: a picture has no mark, or cannot be read.
    """
    trusted = _text(trust) if trust else ""
    unmarked, unread = list[Path](), list[str]()
    found = picture_files(pictures, lambda _, sentence: unread.append(sentence), below=True)
    for path in found:
        try:
            marks = marks_of(read_content(path), read_still(path).bgr, trusted)
        except PictureError as error:
            unread.append(str(error))
            continue
        if marks.found == 0:
            unmarked.append(path)
        _show(path, marks, json=json)
    for sentence in unread:
        say(sentence, aside=json)
    if len(found) > 1:
        say(f"looked at {count(len(found), 'picture')}", aside=json)
    if unmarked and not json:
        say(f"no mark in {_several(unmarked)}: that proves nothing, since marks can be removed and other programs add none")
    return int(bool(unmarked or unread))


@mark_app.command
def sign(
    *pictures: Pictures,
    key: Annotated[Path, Parameter(help="Private key, PEM, not encrypted.")],
    certificate: Annotated[Path, Parameter(help="Its certificate and those of its issuers, PEM, the signer's first.")],
    out: Annotated[Path | None, Parameter(help="Folder for the results; by default beside each picture.")] = None,
    original: Annotated[Path | None, Parameter(help="JPEG or PNG file that the one picture was made from.")] = None,
    overwrite: OverwriteOption = False,
) -> int:
    """Sign enhanced pictures with C2PA metadata that says what edited them.

    A result is named NAME-signed, and the picture stays as it is. Sign last:
    any later change of the file breaks the signature. The time is that of this
    machine.

    For example:

        facestream mark sign face-enhanced.png --key lab.key --certificate lab.pem

    Exit code 1: a picture was not signed.
    """
    failures = list[str]()
    found = picture_files(pictures, lambda _, sentence: failures.append(sentence))
    files = [path for path in found if path in pictures or not path.stem.endswith(_END)]
    if original is not None and len(files) != 1:
        raise UsageError("--original belongs to one picture: sign the others by themselves")
    credentials = load_credentials(key, certificate)
    source = read_content(original) if original else None
    for path in files:
        try:
            read_still(path)  # a signature under half a picture would be worth nothing
            signed = sign_picture(read_content(path), credentials, original=source, title=path.name)
            result = (out or path.parent) / f"{path.stem}{_END}{path.suffix}"
            check_outside_runs(result)
            check_new([result], overwrite=overwrite, instead=OTHER_FOLDER)
            write_result(result, signed)
            say(f"wrote {result}")
        except (PictureError, UsageError) as error:
            failures.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    for sentence in failures:
        say(sentence, aside=True)
    return int(bool(failures))


def _show(path: Path, marks: Marks, *, json: bool) -> None:
    if json:
        write_lines([_facts(path, marks)])
        return
    console = Console(highlight=False)
    console.print(Text(f"{plain(str(path))}: {marks.found} of 3 marks"), soft_wrap=True)
    for name, sentence in _sentences(marks):
        console.print(Text(f"  {name:<6} {plain(sentence)}"), soft_wrap=True)


def _facts(path: Path, marks: Marks) -> dict[str, Any]:
    pixels = {"found": marks.pixels.is_found, "score": round(marks.pixels.score, 2), "threshold": THRESHOLD}
    return {
        "file": str(path), "marks": marks.found, "xmp": marks.declared, "pixels": pixels, "c2pa": marks.provenance,
    }  # fmt: skip


def _sentences(marks: Marks) -> Iterator[tuple[str, str]]:
    declared, pixels = marks.declared, marks.pixels
    if declared is None:
        yield "XMP", "not found"
    else:
        kind = declared.source_type.rpartition("/")[2] or "of no source type"
        by = f", by {declared.system}" if declared.system else ""
        yield "XMP", f"{'found' if declared.is_enhanced else 'says that no machine made it'}: {kind}{by}"
    if pixels.is_found:
        yield "pixels", f"found: {pixels.score:.1f}, and less than 1 of 1,000,000 unmarked pictures reaches {THRESHOLD:g}"
    else:
        yield "pixels", f"not found: {pixels.score:.1f}, and a marked one has {THRESHOLD:g} or more"
    yield "C2PA", _signature(marks.provenance) if marks.provenance else "not found"


def _signature(found: Provenance) -> str:
    if found.state == "unread":
        return f"there, but {'; '.join(found.problems)}"
    if found.state == "invalid":
        return f"NOT VALID: {'; '.join(found.problems) or 'the signature is wrong'}"
    worth = (
        "whom the trust list vouches for"
        if found.state == "trusted"
        else "whose certificate nobody vouches for: anybody can make one (--trust names trusted issuers)"
    )
    kind = found.source_type.rpartition("/")[2]
    said = ", ".join(filter(None, (" ".join(found.actions), kind, f"by {found.made_by}" if found.made_by else "")))
    made_of = f", from {', '.join(found.ingredients)}" if found.ingredients else ""
    return f"found: {said}{made_of}; signed by {found.signer or 'somebody without a name'}, {worth}"


def _several(paths: list[Path]) -> str:
    return first_of([str(path) for path in paths], 1)


def _text(path: Path) -> str:
    try:
        content = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not text'}") from error
    if "BEGIN CERTIFICATE" not in content:
        raise UsageError(f"{path} holds no certificate in PEM: begin it with -----BEGIN CERTIFICATE-----")
    return content
