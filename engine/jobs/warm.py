"""The models of a process that does one segment after the other: opened once."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from engine.config import Config
from engine.contracts.orders import Warned
from engine.enhancement import models as enhancing
from engine.jobs.seat import Enhancing, Here, Seat
from engine.perception import models as perceiving
from engine.perception.perception import Perception
from engine.runtime.closing import Closing
from engine.runtime.telemetry import Telemetry


class Warm(Closing):
    """Detector, second look and judge; and generator, embedder and gallery, unless these are elsewhere.

    Args:
        config: of the job.
        warn: is told what goes wrong and ends nothing.
        elsewhere: gives the way to a ``Seat`` for the segments of a stream, and what its models are (``OpenModels.facts``);
            None: it is here.

    Raises:
        FacestreamError: a model cannot be opened, see both ``OpenModels``.
    """

    def __init__(
        self,
        config: Config,
        warn: Callable[[Warned], None],
        elsewhere: tuple[Callable[[str], Enhancing], dict[str, str]] | None = None,
    ) -> None:
        if not config.output.directory:  # what is kept is the same wherever it is written to
            config = replace(config, output=replace(config.output, directory="."))
        self.config = config
        self._looking = perceiving.OpenModels(config, warn)
        try:
            here = None if elsewhere else enhancing.OpenModels(config, warn, prompt=False)
        except BaseException:
            self._looking.close()
            raise
        self._elsewhere, self.models = elsewhere, here
        """Of enhancement; None where that is elsewhere."""
        enhance = elsewhere[1] if elsewhere else here.facts if here else {}
        self.facts = {"perceive": self._looking.facts, "enhance": enhance}
        """What ``run.json`` says of the models, by worker."""

    def perception(self, telemetry: Telemetry) -> Perception:
        """Return a core that has followed nothing yet."""
        return self._looking.core(telemetry)

    def enhancing(self, stream: str) -> Enhancing:
        """Return the way to the half that needs no frames, for one segment of a stream."""
        if self._elsewhere is not None:
            return self._elsewhere[0](stream)
        assert self.models is not None
        return Here(Seat(self.models, stream))

    def close(self) -> None:
        """Free the models."""
        self._looking.close()
        if self.models is not None:
            self.models.close()
