"""What stands in the file of an enhanced picture: a sentence for people, and XMP for machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape

from engine import __version__
from engine.marking.containers import Texts, read_texts, with_texts

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ENHANCED = VOCABULARY + "compositeWithTrainedAlgorithmicMedia"
"""IPTC: augmentation, correction or enhancement by a model. ``algorithmicallyEnhanced`` is for what leaves the main content
as it is, which nobody can promise of a face that a network has enlarged; ``trainedAlgorithmicMedia`` for what no camera has
captured."""
INTERPOLATED = VOCABULARY + "algorithmicallyEnhanced"
"""No network has added anything."""
UNTRAINED = frozenset({"bicubic", "lanczos", "none"})
"""Generators without weights."""
_VALUE = r"""\s*=\s*(?:"([^"]*)"|'([^']*)')|{0}>\s*([^<\s][^<]*?)\s*<|{0}\s+rdf:resource=["']([^"']*)["']"""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the XMP of a file says of how the picture came to be."""

    source_type: str
    """URI of IPTC's vocabulary of digital source types; empty: it does not say."""
    system: str = ""
    """The program that enhanced it, with its version; empty: it does not say."""

    @property
    def is_enhanced(self) -> bool:
        """Whether it says that a machine made or changed the picture."""
        return self.source_type.rpartition("/")[2].lower() in _BY_MACHINE


_BY_MACHINE = frozenset({
    "compositewithtrainedalgorithmicmedia", "algorithmicallyenhanced", "trainedalgorithmicmedia", "compositesynthetic",
    "algorithmicmedia",
})  # fmt: skip


def sentence(system: str) -> str:
    """Return what stands inside every enhanced picture for people; ``system`` is ``facestream`` with the generator."""
    return f"AI-enhanced by {system}; not for identification"


def source_type(model: str) -> str:
    """Return IPTC's digital source type of what a generator made, as a URI."""
    return INTERPOLATED if model in UNTRAINED else ENHANCED


def declare(file: bytes, model: str) -> bytes:
    """Return the file of an enhanced picture with what it has to say of itself; the pixels stay as they are.

    Args:
        file: a JPEG or PNG file as an encoder left it.
        model: name of the generator.
    """
    return with_texts(file, Texts(sentence(f"facestream {model}"), _xmp(model)))


def declared_in(file: bytes) -> Declared | None:
    """Return what the XMP of a JPEG or PNG file says; None where it has none of these fields, or is no such file."""
    xmp = read_texts(file).xmp
    kind, system, version = (_value(xmp, name) for name in ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"))
    return Declared(kind, " ".join(filter(None, (system, version)))) if kind or system else None


def _xmp(model: str) -> str:
    """Return the packet; its fields are those of the IPTC Photo Metadata Standard 2025.1."""
    fields = {
        "DigitalSourceType": source_type(model),
        "AISystemUsed": f"facestream {model}",
        "AISystemVersionUsed": __version__,
    }
    attributes = " ".join(f'Iptc4xmpExt:{name}="{escape(_plain(value))}"' for name, value in fields.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def _plain(value: str) -> str:
    """Return a name without the characters that XML has no way to write."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", value)


def _value(xmp: str, name: str) -> str:
    """Return a field, written as attribute, element or resource; XML of strangers is not parsed."""
    found = re.search(name + _VALUE.format(name), xmp) if name in xmp else None
    return unescape(next(filter(None, found.groups()), "")) if found else ""
