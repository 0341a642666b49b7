"""What OpenVINO keeps for each shape is bounded."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from engine.contracts.profile import Profile
from engine.sessions import openvino_session
from engine.sessions.openvino_requests import Requests
from engine.sessions.session import SessionSpec, open_session
from tests.onnx_models import grey_model
from tests.sessions.processors import need
from tests.together import run_together


class Graph:
    def clone(self) -> Graph:
        return self

    def reshape(self, shapes: object) -> None:
        if shapes == {"x": [0]}:
            raise RuntimeError("no such shape")


class Compiled:
    def create_infer_request(self) -> SimpleNamespace:
        return SimpleNamespace(model=self)


def lend(requests: Requests, *sizes: int) -> list[object]:
    models = []
    for size in sizes:
        with requests.lent({"x": (size,)}) as request:
            models.append(request.model)
    return models


def test_after_so_many_shapes_the_model_is_compiled_anew_and_the_old_one_goes():
    requests = Requests(Graph(), lambda graph: Compiled(), most_shapes=3)
    first, *others = lend(requests, 1, 2, 3, 1, 2, 3)
    assert set(others) == {first}, "known shapes cost nothing"
    old = weakref.ref(first)
    del first, others
    assert lend(requests, 4) == [requests.compiled]
    gc.collect()
    assert old() is None
    assert len(set(lend(requests, 4, 1, 2, 3))) == 2


def test_who_still_computes_keeps_the_old_one_until_it_is_done():
    requests = Requests(Graph(), lambda graph: Compiled(), most_shapes=1)
    with requests.lent({"x": (1,)}) as request:
        old = request.model
        (new,) = lend(requests, 2)
        assert new is not old
    assert lend(requests, 2) == [new], "what was lent of the old one is not lent again"


def test_where_sizes_are_padded_there_is_no_bound():
    requests = Requests(Graph(), lambda graph: Compiled(), most_shapes=0)
    assert len(set(lend(requests, *range(1, 400)))) == 1


def test_a_shape_that_does_not_fit_is_not_counted():
    requests = Requests(Graph(), lambda graph: Compiled(), most_shapes=1)
    (first,) = lend(requests, 1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no such shape"):
            lend(requests, 0)
    assert lend(requests, 1) == [first]


@pytest.mark.parametrize(("step", "times"), [(1, 4), (8, 1)])
def test_a_session_computes_the_same_before_and_after(monkeypatch: pytest.MonkeyPatch, step: int, times: int):
    need("openvino")
    monkeypatch.setattr(openvino_session, "MOST_SHAPES", 4)
    compiled: list[object] = []

    class Counting(Requests):
        def __init__(self, graph: object, compile: object, most_shapes: int) -> None:
            super().__init__(graph, lambda held: compiled.append(held) or compile(held), most_shapes)

    monkeypatch.setattr(openvino_session, "Requests", Counting)
    spec = SessionSpec(grey_model(), "openvino", profile=Profile(step_px=step))
    pictures = [np.random.default_rng(at).integers(0, 256, (1, 1, 32 * (1 + at // 4), 32 * (1 + at % 4))) for at in range(16)]
    pictures = [picture.astype(np.uint8) for picture in pictures]
    with open_session(spec) as session, open_session(SessionSpec(grey_model(), "onnxruntime")) as other:
        name = session.inputs[0].name
        expected = [other.run({name: picture}) for picture in pictures]
        wrong: list[int] = []

        def ask() -> None:
            for at, picture in enumerate(pictures):
                found = session.run({name: picture})
                if not all(np.allclose(one, two, atol=1e-4) for one, two in zip(found, expected[at], strict=True)):
                    wrong.append(at)

        ask()
        assert len(compiled) == times
        run_together([threading.Thread(target=ask) for _ in range(3)])
        assert wrong == []
