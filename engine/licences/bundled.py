"""Libraries that lie inside wheels: their licences are not those of the package around them."""

from __future__ import annotations

import re
from importlib.metadata import Distribution
from typing import NamedTuple

from engine.licences.spdx import UNKNOWN

_LIBRARY = re.compile(r"(lib[A-Za-z0-9_+]+?)(?:-[0-9a-f]{6,}|-[0-9.]+)*\.so[.0-9]*")
_GNU_EITHER = "LGPL-3.0-or-later OR GPL-2.0-or-later"
_GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
_LICENCES = (
    (r"libx26[45]", "GPL-2.0-or-later"),
    (r"lib(av(codec|device|filter|format|util)|sw(resample|scale)|postproc)", "LGPL-2.1-or-later"),
    (r"lib(heif|de265)", "LGPL-3.0-or-later"),
    (r"lib(gmp|hogweed|nettle|unistring)", _GNU_EITHER),
    (r"lib(gnutls|asound|quadmath)", "LGPL-2.1-or-later"),
    (r"libmp3lame", "LGPL-2.0-or-later"),
    (r"libQt5\w*", "LGPL-3.0-only"),
    (r"lib(gfortran|gomp|gcc_s|stdc\+\+)", _GCC),
    (r"libzmq", "MPL-2.0"),
    (r"libsodium", "ISC"),
    (r"lib(dav1d|aom|openjp2|avif)", "BSD-2-Clause"),
    (r"lib(SvtAv1Enc|opus|vpx|webp(demux|mux)?|sharpyuv|pcre2|zstd|\w*openblas\w*)", "BSD-3-Clause"),
    (r"lib(drm|vpl|xcb\w*|xkbcommon\w*|X11\w*|Xau|harfbuzz|lcms2|brotli\w*)", "MIT"),
    (r"lib(ssl|crypto|opencore)", "Apache-2.0"),
    (r"libjpeg", "IJG AND BSD-3-Clause"),
    (r"libpng\d*", "libpng-2.0"),
    (r"libtiff", "libtiff"),
    (r"libfreetype", "FTL"),
    (r"liblzma", "0BSD"),
)


class Library(NamedTuple):
    """One library inside a wheel."""

    name: str
    licence: str


def libraries_in(package: Distribution) -> list[Library]:
    """Return the foreign libraries that a wheel brought along, by name."""
    files = [line.partition(",")[0] for line in (package.read_text("RECORD") or "").splitlines()]
    found = {name for file in files if ".libs/" in file and (name := library_name(file.rpartition("/")[2]))}
    return [Library(name, licence_of_library(name)) for name in sorted(found)]


def library_name(file: str) -> str:
    """Return the name of a shared library without versions and the hash that a wheel adds; empty where it is none."""
    found = _LIBRARY.fullmatch(file)
    return found[1] if found else ""


def licence_of_library(name: str) -> str:
    """Return the SPDX expression of a library, ``unknown`` where it is not in the list."""
    return next((licence for pattern, licence in _LICENCES if re.fullmatch(pattern, name)), UNKNOWN)
