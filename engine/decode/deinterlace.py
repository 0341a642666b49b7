"""Whole pictures out of interlaced ones, whose odd and even lines were taken at two times."""

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
"""The filter wants a time base; time travels beside the pictures."""


class Deinterlacer(Generic[Note]):
    """Motion-adaptive deinterlacing by libavfilter's ``bwdif``: as many pictures as went in, each one picture late.

    Nothing is filtered, nor held back, before the first picture that is flagged as interlaced. From then on pictures that are
    not flagged pass through as they are.

    Args:
        mode: ``auto``; ``on`` takes every picture for interlaced, ``off`` none.
    """

    def __init__(self, mode: Deinterlace) -> None:
        self._mode = mode
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._waiting: deque[tuple[av.VideoFrame, Note]] = deque()

    def take(self, picture: av.VideoFrame, note: Note) -> list[tuple[av.VideoFrame, Note]]:
        """Return the pictures that are ready, each with what was noted with it.

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
        """Return what is held; the next picture does not continue the ones before."""
        graph, self._graph, self._shape = self._graph, None, None
        if graph is None:
            return []
        graph.vpush(None)
        ready = self._pull(graph)
        ready += self._waiting  # a single picture has no neighbour to be filtered with
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
