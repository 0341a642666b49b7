"""What has become of a stream, once all that its workers have counted is known."""

from __future__ import annotations

from msgspec.structs import replace

from engine.contracts.streams import StreamChanged


def judged(event: StreamChanged) -> StreamChanged:
    """Return the last state of a stream: ``failed`` with the model's sentence where no call of one of the models worked, and
    where a recording has lost faces."""
    if event.state != "ended":
        return event
    if sentence := next(filter(None, (calls.verdict for calls in event.calls.values())), ""):
        return replace(event, state="failed", reason="model", detail=sentence)
    if event.lost:
        lost = "1 of its faces was" if event.lost == 1 else f"{event.lost} of its faces were"
        return replace(event, state="failed", reason="worker_died", detail=f"{lost} lost with a worker that died")
    return event
