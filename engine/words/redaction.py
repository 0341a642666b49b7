"""What may be shown of texts that may hold credentials: in messages, logs, files and on the screen.

Where it is not certain which part of a URL is the secret, as with an unescaped ``/`` in a password, nothing of it is shown.
All functions may be applied to their own result, which they leave as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from engine.words.text import readable

HIDDEN = "***"

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
_URL_IN_TEXT = re.compile(rf"{_SCHEME}://(?:[^\s/?#@:[]*:(?!\d{{0,5}}(?:[\s/?#]|$))[^\n@]*@)?\S*", re.ASCII)
"""Up to white space; where a password without ``/`` seems to hold some, up to white space behind its ``@``."""
_AFTER_URL = re.compile(r"(?:``[]'\")>,.:;]?|[]'\"`)>,.:;]{0,2})$")
"""Punctuation of the sentence around a URL; no more of it, as a password may end so too."""
_HOST_AND_PORT = re.compile(r"(\[[^]\s]*]|[^][:\s]*)(:(?:\d{0,5}|\*))?|(HOST|ADDRESS):PORT")
"""``HOST:PORT`` is what our own sentences say; of others it is no secret."""
_NOBODY = "USER@HOST"
"""What our own sentences say of an address with a user."""
_PATH = re.compile(r"(?:(?!%3[DF])[^?#=])*", re.IGNORECASE)
"""``%3D`` is ``=``, and ``%3F`` is ``?``."""
_KEY = re.compile(r"[^?#]*")
"""Of ``s3://``, where a folder is called ``day=1`` and no secret has a place."""
_NAMES = r"user(?:name)?|usr|login|pass(?:word|wd|phrase)?|pwd|pw|(?:[a-z]+[_-]?)?(?:token|secret|key)|auth(?:orization)?"
_PLACEHOLDER = r"(?-i:KEY=VALUE[]'`\")>,.:;]{0,3}(?!\S))"
"""What our own sentences say where nothing is given, as ``--set KEY=VALUE``; as the whole of a value it is no secret."""
_VALUE_IN_TEXT = re.compile(rf"(?<![A-Za-z])(?!{_PLACEHOLDER})({_NAMES})=\S+", re.IGNORECASE)
_SECRET_IN_ADDRESS = re.compile(r"(?:(?:pass|pwd|psw|pw|token|secret|auth)[^=&/?;]*|(?:pas|key))=[^&/?;]", re.IGNORECASE)
"""Cameras have names of their own, as ``userpwd=``, ``loginpas=`` and, with no other sign between, ``user=ada_password=``."""
_SECRET_KEY = re.compile(rf"(?:\w+_)?(?:{_NAMES}|headers|cookies)", re.IGNORECASE)


def redact_url(url: str) -> str:
    """Return a whole URL, of one host or several, without user, password, query, fragment and its path from ``=`` on."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not re.fullmatch(_SCHEME, scheme, re.ASCII):
        return HIDDEN
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    host = authority if authority == _NOBODY else authority.rpartition("@")[2]
    if "@" in tail or "://" in rest or not (host == _NOBODY or all(_HOST_AND_PORT.fullmatch(one) for one in host.split(","))):
        return f"{scheme}://{HIDDEN}"
    shown = (_KEY if scheme.lower() == "s3" else _PATH).match(tail)
    length = shown.end() if shown else 0
    return f"{scheme}://{host}{tail[:length]}" + (tail[length] + HIDDEN if length < len(tail) else "")


def redact(text: str) -> str:
    """Return a text with every URL in it as by ``redact_url``, and without the values of ``password=...`` and the like.

    A URL ends at white space, so JSON without spaces would lose more than its secrets: redact what goes into it, see
    ``redact_tree``.
    """
    return _VALUE_IN_TEXT.sub(rf"\1={HIDDEN}", _URL_IN_TEXT.sub(_shown_in_text, text))


def redact_tree(value: Any) -> Any:
    """Return mappings, lists and texts, as a configuration has them, with every text redacted.

    A text under a key such as ``password``, ``token`` or ``headers`` is hidden as a whole. What of a text is not UTF-8, as in a
    file's name, becomes an escape: the result can be encoded.
    """
    if isinstance(value, str):
        return readable(redact(value))
    if isinstance(value, Mapping):
        return {redact_tree(key): _hidden(below) if _is_secret(key) else redact_tree(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [redact_tree(below) for below in value]
    return value


def names_secret(address: str) -> bool:
    """Whether an address, or the end of one, holds the value of a ``user=…``, ``password=…`` or the like, also as ``%3D``."""
    read = unquote(address)
    return bool(_VALUE_IN_TEXT.search(read) or _SECRET_IN_ADDRESS.search(read))


def _shown_in_text(found: re.Match[str]) -> str:
    around = _AFTER_URL.search(found[0])
    end = around.start() if around else len(found[0])
    return redact_url(found[0][:end]) + found[0][end:]


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and _SECRET_KEY.fullmatch(key) is not None


def _hidden(value: Any) -> Any:
    return HIDDEN if isinstance(value, str) and value else redact_tree(value)
