"""One track of a finished run is made again from its recording, and compared with what was written."""

from engine.reproduction.compared import Compared
from engine.reproduction.reproduce import Reproduction, reproduce

__all__ = ["Compared", "Reproduction", "reproduce"]
