"""Licences by their SPDX names, and what they ask of whoever passes a program on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution
from typing import Literal

Asks = Literal["little", "its own source", "the whole source", "no commerce", "unknown"]
"""``little``: a notice. ``its own source``: weak copyleft (LGPL, MPL): the part may be exchanged, and its changes are given on.
``the whole source``: copyleft (GPL): whoever passes on a program with it inside gives on the whole under it. ``no commerce``:
commercial use is forbidden, or not granted. From the least to the most, ``unknown`` last.
"""
_ORDER: tuple[Asks, ...] = ("little", "its own source", "the whole source", "no commerce", "unknown")
_ASKS: tuple[tuple[str, Asks], ...] = (
    (r".*(-NC\b|non-?commercial|research).*", "no commerce"),
    (r"GPL-\d.* WITH .*exception.*", "little"),
    (r"A?GPL-\d.*", "the whole source"),
    (r"(LGPL|MPL|EPL|CDDL)-\d.*", "its own source"),
    (
        r"(MIT|MIT-CMU|MIT-0|0BSD|ISC|Zlib|CC0-1\.0|Unlicense|BSL-1\.0|FTL|IJG|libtiff|libpng-2\.0|PSF-2\.0|Python-2\.0|HPND"
        r"|BSD-[1-4]-Clause(-Clear)?|Apache-2\.0|CNRI-Python|BlueOak-1\.0\.0|WTFPL|OpenSSL|curl|OFL-1\.1)",
        "little",
    ),
)
_WORDS = {
    "mit": "MIT", "mit license": "MIT", "the mit license": "MIT", "apache 2.0": "Apache-2.0", "apache-2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0", "apache software license": "Apache-2.0",
    "bsd 3-clause license": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause", "bsd-3-clause": "BSD-3-Clause",
    "psfl": "PSF-2.0", "python software foundation license": "PSF-2.0", "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "bsd license": "BSD-3-Clause", "bsd": "BSD-3-Clause",
    "sil ofl v1.1": "OFL-1.1", "boost software license 1.0 (bsl-1.0)": "BSL-1.0", "the unlicense (unlicense)": "Unlicense",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
}  # fmt: skip
_SAID_ELSEWHERE = {"insightface": "MIT"}
"""Packages without a licence in their metadata, by what their description says."""
UNKNOWN = "unknown"


def asks(expression: str) -> Asks:
    """Return what a licence asks for; of several joined by ``AND`` the most, of those joined by ``OR`` the least."""
    return most(
        min((_one(choice.strip()) for choice in part.split(" OR ")), key=_ORDER.index)
        for part in expression.replace("(", "").replace(")", "").split(" AND ")
    )


def most(found: Iterable[Asks]) -> Asks:
    """Return what asks for the most, ``little`` where there is nothing."""
    return max(found, key=_ORDER.index, default="little")


def licence_of(package: Distribution) -> str:
    """Return the SPDX expression of an installed package, as its metadata say; ``unknown`` where they do not."""
    metadata = package.metadata
    if expression := field(package, "License-Expression"):
        return expression
    licence = field(package, "License")
    said = [licence.splitlines()[0] if licence else ""]
    said += [str(one).rpartition("::")[2] for one in metadata.get_all("Classifier") or [] if str(one).startswith("License")]
    for words in said:
        if (known := _WORDS.get(words.strip().lower())) is not None:
            return known
        if words.strip() and asks(words.strip()) != UNKNOWN:
            return words.strip()
    return _SAID_ELSEWHERE.get(str(metadata["Name"]).lower(), UNKNOWN)


def field(package: Distribution, name: str) -> str:
    """Return the first value of a field of a package's metadata, empty where there is none."""
    values = package.metadata.get_all(name)
    return str(values[0]) if values else ""


def _one(name: str) -> Asks:
    return next((kind for pattern, kind in _ASKS if re.fullmatch(pattern, name, re.IGNORECASE)), "unknown")
