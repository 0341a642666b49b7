"""A look at a camera before it is added: what it sends, and whether its faces are large enough."""

from engine.probe.probe import look_at, probe

__all__ = ["look_at", "probe"]
