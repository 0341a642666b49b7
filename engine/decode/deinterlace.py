"""Deinterlacing: makes whole pictures from interlaced ones, whose odd and even lines were taken at different times."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Generic, TypeVar

import av
from av.error import BlockingIOError as NotYet
from av.error import EOFError as AtEnd
from av.filter import Graph

from engine.contracts.messages import Deinterlace

Note = TypeVar("Note")
_TICK = Fraction(1, 1000)
"""The filter needs a time base, although times are passed beside the pictures."""


class Deinterlacer(Generic[Note]):
    """Motion-adaptive deinterlacing by libavfilter's ``bwdif``: as many pictures as went in, each one picture late.

    Nothing is filtered or held back before the first picture that is flagged as interlaced. From then on pictures without the
    flag pass through unchanged.

    Args:
        mode: ``auto``: by the flags; ``on``: every picture is interlaced; ``off``: none is.
    """

    def __init__(self, mode: Deinterlace) -> None:
        self._mode = mode
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._waiting: deque[tuple[av.VideoFrame, Note]] = deque()

    def take(self, picture: av.VideoFrame, note: Note) -> list[tuple[av.VideoFrame, Note]]:
        """Return the pictures that are ready, each with its note.

        Raises:
            av.error.FFmpegError: the filter refuses the picture.
        """
        if self._mode == "off" or (self._graph is None and self._mode == "auto" and not picture.interlaced_frame):
            return [(picture, note)]
        ready: list[tuple[av.VideoFrame, Note]] = []
        shape = (picture.width, picture.height, picture.format.name)
        if self._shape != shape:
            ready = self.flush()
            self._graph, self._shape = _graph(picture, self._mode), shape
        graph = self._graph
        assert graph is not None, "made above"
        self._waiting.append((picture, note))
        graph.vpush(picture)
        return ready + self._pull(graph)

    def flush(self) -> list[tuple[av.VideoFrame, Note]]:
        """Return the held picture; the next one does not continue those before."""
        graph, self._graph, self._shape = self._graph, None, None
        if graph is None:
            return []
        graph.vpush(None)
        ready = self._pull(graph)
        ready += self._waiting  # a single picture cannot be filtered without a neighbour
        self._waiting.clear()
        return ready

    def _pull(self, graph: Graph) -> list[tuple[av.VideoFrame, Note]]:
        ready: list[tuple[av.VideoFrame, Note]] = []
        while True:
            try:
                picture = graph.vpull()
            except (NotYet, AtEnd):
                return ready
            ready.append((picture, self._waiting.popleft()[1]))


def _graph(picture: av.VideoFrame, mode: Deinterlace) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=_TICK)
    which = "all" if mode == "on" else "interlaced"
    graph.link_nodes(source, graph.add("bwdif", f"mode=send_frame:parity=auto:deint={which}"), graph.add("buffersink"))
    graph.configure()
    return graph
