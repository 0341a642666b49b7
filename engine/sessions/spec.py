"""What a session is of, and how it computes: one value that opens the same session in every process."""

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
    """The ONNX file, or its content; where a stage opens it, the file of its manifest too."""
    runtime: str = "auto"
    """``auto``, or one of ``engine.sessions.session.RUNTIMES``."""
    device: str = "cpu"
    """``cpu``, or ``cuda:N``."""
    precision: Precision = "float32"
    """What it computes in; inputs and outputs keep their types."""
    profile: Profile = Profile()
    """Batches that the model takes."""
    threads: int = 1
    """Compute threads of one run on a CPU, 0 for all cores; one per worker is best where workers fill the cores."""
    name: str = ""
    """What messages call the model; the file's path by default."""
    output: str = ""
    """The one output that is wanted, and all that is computed; every output by default."""
    engine: str = ""
    """Where the file is an engine: what its own graph computes in, as ``int8``; the session says it."""

    @property
    def title(self) -> str:
        """What messages call the model."""
        return self.name or (str(self.model) if isinstance(self.model, Path) else "the model")

    @property
    def computes_in(self) -> str:
        """What the session says that it computes in."""
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
        """Return the spec of the model that a manifest describes beside ``path``, computed as this one says."""
        file = self.path.with_name(manifest.file)
        profile = Profile(*manifest.batch, step_px=self.profile.step_px)
        return replace(self, model=file, output=manifest.output, profile=profile)

    def profile_of(self, inputs: tuple[TensorSpec, ...]) -> Profile:
        """Return the batches that pay for a model with these inputs, whose first dimension may be fixed."""
        fixed = inputs[0].shape[0] if inputs and inputs[0].shape else None
        return Profile(fixed, fixed, fixed) if fixed else self.profile.on(self.device)
