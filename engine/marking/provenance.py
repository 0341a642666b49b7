"""Signed metadata after C2PA: who says what of how a picture came to be.

The library ``c2pa`` writes and reads it. There is no such metadata without a key: an unsigned picture has the XMP and the mark
in its pixels instead.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from engine import __version__
from engine.contracts.picture_files import MEDIA_TYPES
from engine.errors import MissingRuntimeError, PictureError
from engine.marking.containers import has_manifest, kind_of
from engine.marking.credentials import Credentials
from engine.marking.imperceptible import find_mark
from engine.marking.metadata import declared_in, sentence, source_type
from engine.pictures.decode import decoded

EXTRA = "pip install 'facestream[exhibit]'"
State = Literal["trusted", "valid", "invalid", "unread"]
_UNTRUSTED = "signingCredential.untrusted"
_SETTINGS = {
    # A thumbnail of a crop is larger than the crop, and nothing is fetched from addresses that a stranger's file names.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the C2PA metadata of a file says, and what that is worth."""

    state: State
    """``trusted``: whole, and signed with a certificate of the trust list; ``valid``: whole, and signed with one that no list
    vouches for, as anybody can make for himself; ``invalid``: the file was changed, or the signature is wrong; ``unread``: the
    library is not installed."""
    signer: str = ""
    """Organisation and name in the certificate."""
    made_by: str = ""
    """The program that wrote the metadata."""
    source_type: str = ""
    """URI of IPTC's vocabulary."""
    actions: list[str] = field(default_factory=list)
    """As ``c2pa.edited``."""
    ingredients: list[str] = field(default_factory=list)
    """Titles of what the picture was made from."""
    problems: list[str] = field(default_factory=list)
    """Why it is ``invalid``."""


def sign_picture(
    file: bytes, credentials: Credentials, *, model: str = "", original: bytes | None = None, title: str = ""
) -> bytes:
    """Return a picture file with signed metadata: that it was edited, by which program and model, and from what.

    Args:
        file: a JPEG or PNG file. Metadata that it has already stays, as that of what was signed here.
        credentials: key and certificates.
        model: the generator that enhanced the picture; empty: what its marks say.
        original: the JPEG or PNG file that it was made from. None: the unsigned file itself stands for it.
        title: a name for the picture.

    Raises:
        PictureError: a file is no JPEG or PNG, is damaged, or no mark says that it was enhanced.
        UsageError: the certificate cannot sign.
        MissingRuntimeError: ``c2pa-python`` is not installed.
    """
    c2pa = _library()
    media_type = _media_type(file)
    system, kind = (f"facestream {model}", source_type(model)) if model else _said_by(file)
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": kind,
        "softwareAgent": {"name": system, "version": __version__},
        "description": sentence(system),
    }
    said = {
        "claim_generator_info": [{"name": "facestream", "version": __version__}],
        "title": title or "enhanced picture",
        "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [edited]}}],
    }
    signed = io.BytesIO()
    try:
        with c2pa.Context.from_dict(_SETTINGS) as context, c2pa.Builder(said, context) as builder:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            if original is not None:
                parent = {"title": "original", "relationship": "parentOf"}
                builder.add_ingredient(parent, _media_type(original), io.BytesIO(original))
            with credentials.signer(c2pa) as signer:
                builder.sign(signer, media_type, io.BytesIO(file), signed)
    except c2pa.C2paError as error:
        raise credentials.refusal(str(error)) or PictureError(f"cannot sign this picture: {error}") from error
    return signed.getvalue()


def provenance_of(file: bytes, trusted: str = "") -> Provenance | None:
    """Return what the C2PA metadata of a JPEG or PNG file says; None where it has none. Nothing is fetched from anywhere.

    Args:
        file: of any kind.
        trusted: certificates (PEM) of those who may vouch for signers; empty: nobody is trusted.
    """
    if not has_manifest(file):
        return None
    try:
        c2pa = _library()
    except MissingRuntimeError:
        return Provenance("unread", problems=[f"it was not read, as c2pa-python is not installed: {EXTRA}"])
    settings = _SETTINGS | ({"trust": {"trust_anchors": trusted}} if trusted else {})
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(MEDIA_TYPES[kind_of(file)], io.BytesIO(file), context=context) as reader,
        ):
            return _read(json.loads(reader.json()))
    except c2pa.C2paError as error:
        return Provenance("invalid", problems=[str(error)])


def _read(store: dict[str, Any]) -> Provenance:
    manifest = store["manifests"].get(store.get("active_manifest"), {})
    states: dict[str, State] = {"Trusted": "trusted", "Valid": "valid"}
    signature = manifest.get("signature_info") or {}
    actions = [
        action
        for assertion in manifest.get("assertions", [])
        if assertion.get("label", "").startswith("c2pa.actions")
        for action in assertion["data"].get("actions", [])
    ]
    makers = manifest.get("claim_generator_info") or [{}]
    problems = store.get("validation_status") or []
    return Provenance(
        states.get(store.get("validation_state", ""), "invalid"),
        ", ".join(filter(None, (signature.get("issuer"), signature.get("common_name")))),
        " ".join(filter(None, (makers[0].get("name"), makers[0].get("version")))),
        next((kind for action in actions if (kind := action.get("digitalSourceType"))), ""),
        [action.get("action", "") for action in actions],
        [title for ingredient in manifest.get("ingredients", []) if (title := ingredient.get("title"))],
        [problem.get("explanation") or problem["code"] for problem in problems if problem.get("code") != _UNTRUSTED],
    )


def _said_by(file: bytes) -> tuple[str, str]:
    """Return what enhanced a picture, and how IPTC calls that, by its marks: what is signed must be true."""
    declared = declared_in(file)
    if declared is not None and declared.is_enhanced:
        return declared.system or "an unnamed program", declared.source_type
    picture = decoded(file)
    if picture is None:
        raise PictureError("the picture is damaged")
    if not find_mark(picture).is_found:
        raise PictureError("no mark says that this picture was enhanced: sign what `facestream enhance` or a run has written")
    return "facestream", source_type("")


def _media_type(file: bytes) -> str:
    if kind := kind_of(file):
        return MEDIA_TYPES[kind]
    raise PictureError("only JPEG and PNG files can be signed")


def _library() -> Any:
    try:
        import c2pa
    except ImportError as error:
        raise MissingRuntimeError(f"c2pa-python is not installed: {EXTRA} ({error})") from error
    return c2pa
