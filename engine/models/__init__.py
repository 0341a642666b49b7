"""Models by name: those embedded in this package, those that were fetched, and those that can be.

>>> find_model("compact_fine_x4")  # doctest: +SKIP
PosixPath('.../engine/models/compact_fine_x4.json')
"""

from engine.models.catalog import DOWNLOADABLE, Downloadable, embedded_manifests, find_model, models_dir

__all__ = ["DOWNLOADABLE", "Downloadable", "embedded_manifests", "find_model", "models_dir"]
