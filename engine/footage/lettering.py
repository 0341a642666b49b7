"""Words as small pictures, in any script that a font on this machine has."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.contracts.frames import Uint8

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_WIDE = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc")
"""Fonts with many letters, as systems call them; the first that has them all is taken."""
_NO_LETTER = "\U0010ffff"


@lru_cache(maxsize=512)
def lettered(text: str, height_px: int, ink: Colour = (255, 255, 255), paper: Colour = (32, 32, 32)) -> Uint8:
    """Return a line of text as (height, width, 3) uint8 BGR, both even; do not change it.

    Args:
        text: what no font here can write stands as an escape.
        height_px: of the picture, with its margins.
        ink: colour of the letters.
        paper: of what is behind them.
    """
    size = max(8, round(0.68 * height_px))
    font = next((one for one in _fonts(size) if _has(one, text)), None)
    if font is None:
        font, text = _fonts(size)[0], text.encode("ascii", "backslashreplace").decode()
    left, _, right, _ = font.getbbox(text)
    height = height_px + height_px % 2
    width = round(right - left) + size
    picture = Image.new("RGB", (width + width % 2, height), paper[::-1])
    ImageDraw.Draw(picture).text((size // 2 - left, height / 2), text, fill=ink[::-1], font=font, anchor="lm")
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


@cache
def _fonts(size: int) -> list[_Font]:
    found: list[_Font] = [ImageFont.load_default(size)]
    for path in _font_files():
        try:
            found.append(ImageFont.truetype(str(path), size))
        except OSError:
            continue
    return found


@cache
def _font_files() -> list[Path]:
    files = {path.name: path for folder in _FOLDERS for path in sorted(Path(folder).expanduser().rglob("*.tt[fc]"))}
    return [files[name] for name in _WIDE if name in files]


@lru_cache(maxsize=4096)
def _has(font: _Font, text: str) -> bool:
    none = bytes(font.getmask(_NO_LETTER))
    return all(letter.isspace() or bytes(font.getmask(letter)) != none for letter in set(text))
