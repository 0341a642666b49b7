"""DET curves as SVG in the text colour of the surrounding page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from trt_build.optional import require
from trt_build.protocols.generators.methods import baselines
from trt_build.protocols.generators.results import Curve

_INK = "#123456"
_COLOURS = ("#0088cc", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#7b61d1")
_ACROSS = 3
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 9, "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _INK,
    "xtick.color": _INK, "ytick.color": _INK, "axes.titlecolor": _INK, "legend.labelcolor": _INK, "grid.color": _INK,
}  # fmt: skip


def figures(curves: Sequence[Curve]) -> list[tuple[str, str]]:
    """Return a title and an SVG for each scale and gallery, one panel for each kind of input.

    Raises:
        MissingRuntimeError: matplotlib is not installed.
    """
    groups: dict[tuple[int, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.scale, curve.gallery), []).append(curve)
    found = []
    for number, ((scale, gallery), some) in enumerate(groups.items()):
        title = f"x{scale}, " + ("against sharp faces" if gallery == "sharp" else "both faces small")
        found.append((title, _svg(some, f"det{number}-")))
    return found


def _svg(curves: Sequence[Curve], prefix: str) -> str:
    require("matplotlib", "Drawing DET curves")
    import matplotlib
    from matplotlib.figure import Figure

    panels: dict[tuple[str, int], list[Curve]] = {}
    for curve in curves:
        panels.setdefault((curve.inputs, curve.low_px), []).append(curve)
    plain = {method.name for method in baselines(curves[0].scale, "general")}
    names = list(dict.fromkeys(curve.method for curve in curves))
    networks = [name for name in names if name not in plain]
    down = -(-len(panels) // _ACROSS)
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": prefix}):
        page = Figure(figsize=(3.4 * min(_ACROSS, len(panels)), 3.2 * down + 0.4), layout="constrained")
        page.patch.set_alpha(0)
        for number, ((inputs, low_px), some) in enumerate(panels.items(), 1):
            axes = page.add_subplot(down, min(_ACROSS, len(panels)), number)
            axes.patch.set_alpha(0)
            for curve in some:
                dashes = ("-", "--", ":")[sorted(plain).index(curve.method) % 3] if curve.method in plain else "-"
                colour = _INK if curve.method in plain else _COLOURS[networks.index(curve.method) % len(_COLOURS)]
                misses = [max(miss, 1e-2) for miss in curve.fnmr]
                axes.plot(curve.fmr, misses, label=curve.method, color=colour, linestyle=dashes, linewidth=1.3)
            axes.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-2, 1), title=f"{inputs}, {low_px} px")
            axes.set(xlabel="false match rate", ylabel="false non-match rate")
            axes.grid(alpha=0.15, linewidth=0.5)
        handles, labels = axes.get_legend_handles_labels()
        page.legend(handles, labels, loc="outside upper center", ncols=min(6, len(labels)), frameon=False)
        written = io.StringIO()
        page.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(written.getvalue(), prefix)


def _inline(svg: str, prefix: str) -> str:
    """Return only the SVG element, with unique identifiers and the page's text colour."""
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", svg)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1)
