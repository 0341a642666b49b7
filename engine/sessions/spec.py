"""Which model a session runs and how: one value that opens the same session in every process."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from engine.contracts.manifest import Manifest
from engine.contracts.profile import Profile
from engine.errors import ModelError
from engine.sessions.precision import Precision
from engine.sessions.tensors import TensorSpec


class SessionSpec(Struct, frozen=True):
    """Equal specs open equal sessions."""

    model: Path | bytes
    """The ONNX file, or its content; a stage may also give the file of its manifest."""
    runtime: str = "auto"
    """``auto``, or one of ``engine.sessions.session.RUNTIMES``."""
    device: str = "cpu"
    """``cpu``, or ``cuda:N``."""
    precision: Precision = "float32"
    """Precision of the computation; inputs and outputs keep their types."""
    profile: Profile = Profile()
    """Batches that the model takes."""
    threads: int = 1
    """Compute threads of one run on a CPU, 0 for all cores; one per worker is best where workers fill the cores."""
    name: str = ""
    """Name of the model in messages; the file's path by default."""
    output: str = ""
    """The only output to compute; every output by default."""
    engine: str = ""
    """If the file is an engine: the precision of its own graph, such as ``int8``, which the session reports."""

    @property
    def title(self) -> str:
        """Name of the model in messages."""
        return self.name or (str(self.model) if isinstance(self.model, Path) else "the model")

    @property
    def computes_in(self) -> str:
        """Precision that the session reports."""
        return self.engine or self.precision

    @property
    def path(self) -> Path:
        """The model's file, or its manifest.

        Raises:
            ModelError: the model is given by its content.
        """
        if isinstance(self.model, bytes):
            raise ModelError(f"{self.title} is given by its content, and a file is needed: give its path")
        return self.model

    def of(self, manifest: Manifest) -> SessionSpec:
        """Return the spec of the model that a manifest beside ``path`` describes, computed in the same way."""
        file = self.path.with_name(manifest.file)
        profile = Profile(*manifest.batch, step_px=self.profile.step_px)
        return replace(self, model=file, output=manifest.output, profile=profile)

    def profile_of(self, inputs: tuple[TensorSpec, ...]) -> Profile:
        """Return the batches that are efficient for a model with these inputs, whose first dimension may be fixed."""
        fixed = inputs[0].shape[0] if inputs and inputs[0].shape else None
        return Profile(fixed, fixed, fixed) if fixed else self.profile.on(self.device)
