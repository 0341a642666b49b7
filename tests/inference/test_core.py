"""The core over a fake device with ONNX Runtime behind it: no process, no clock but the numbers given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.profile import Profile
from engine.errors import DeviceLostError, DeviceMemoryError, InferenceError
from engine.inference.core import Batch, InferenceCore
from engine.sessions.session import SessionSpec
from tests.inference.fake_device import DEVICE, GREY, FakeSession, lumas
from tests.onnx_models import doubling_model, grey_model

WAIT = 0.01


class Bench:
    def __init__(self, spec: SessionSpec = GREY, most_items: int = 1000) -> None:
        self.core: InferenceCore[str] = InferenceCore(WAIT, lambda one: FakeSession(one, most_items))  # type: ignore[arg-type, return-value]
        self.spec = spec
        self.session: FakeSession = self.core.open(spec)  # type: ignore[assignment]

    def put(self, tag: str, tensors: dict[str, np.ndarray], now: float = 0.0) -> None:
        self.core.put(tag, self.spec, tensors, now)

    def results(self, now: float) -> dict[str, list[np.ndarray] | InferenceError]:
        found: dict[str, list[np.ndarray] | InferenceError] = {}
        while (batch := self.core.take(now)) is not None:
            found |= dict(self.core.compute(batch))
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def alone(spec: SessionSpec, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    return FakeSession(spec).run(tensors)


def same(found: list[np.ndarray] | InferenceError, expected: list[np.ndarray]) -> None:
    assert not isinstance(found, InferenceError), found
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_batch_closes_when_the_best_number_is_there_whoever_asked(bench: Bench):
    questions = {tag: lumas(1, first) for first, tag in enumerate("abcd", 100)}
    for tag, tensors in questions.items():
        assert bench.core.take(0.0) is None, "three of four wait"
        bench.put(tag, tensors)
    found = bench.results(0.0)
    assert bench.session.runs == [4]
    for tag, tensors in questions.items():
        same(found[tag], alone(GREY, tensors))
    assert (len(bench.core), bench.core.seconds_left(0.0)) == (0, None)


def test_or_a_fixed_time_after_its_first_item(bench: Bench):
    bench.put("a", lumas(1), 5.0)
    bench.put("b", lumas(1), 5.008)
    assert bench.core.seconds_left(5.008) == pytest.approx(0.002)
    assert bench.results(5.009) == {}
    assert set(bench.results(5.0101)) == {"a", "b"}
    assert bench.session.runs == [2]


def test_what_has_gathered_goes_together_up_to_the_largest_batch(bench: Bench):
    for number in range(19):
        bench.put(str(number), lumas(1))
    assert len(bench.results(0.0)) == 16
    assert len(bench.results(WAIT)) == 3
    assert bench.session.runs == [8, 8, 3]


def test_where_one_is_best_nobody_waits_and_nothing_is_joined():
    bench = Bench(SessionSpec(grey_model(), device="cpu", profile=Profile(1, 4, 8)))
    for tag in "abc":
        bench.put(tag, lumas(1))
        batch = bench.core.take(0.0)
        assert batch is not None
        assert batch.requests[0].tag == tag
        (_, found) = bench.core.compute(batch)[0]
        assert not isinstance(found, InferenceError)
        for one, other in zip(found, alone(bench.spec, lumas(1)), strict=True):
            assert np.array_equal(one, other)
    assert bench.session.runs == [1, 1, 1]


def test_sizes_and_models_have_batches_of_their_own_and_the_oldest_goes_first(bench: Bench):
    other = SessionSpec(grey_model(1), device=DEVICE, profile=Profile(1, 4, 8))
    bench.core.open(other)
    for number, (spec, side) in enumerate([(GREY, 32), (other, 32), (GREY, 64), (GREY, 32), (other, 32)]):
        bench.core.put(f"{number}", spec, lumas(1, side=side), number / 1000)
    order = []
    while (batch := bench.core.take(1.0)) is not None:
        order.append([request.tag for request in batch.requests])
    assert order == [["0", "3"], ["1", "4"], ["2"]]


def test_equal_specs_share_a_session(bench: Bench):
    assert bench.core.open(SessionSpec(grey_model(), device=DEVICE, profile=Profile(1, 4, 8), name="grey")) is bench.session


def test_without_memory_the_next_smaller_batch_is_taken_and_said_once():
    bench = Bench(most_items=3)
    for round_ in range(2):
        questions = {f"{round_}{number}": lumas(1, 100 + number) for number in range(8)}
        for tag, tensors in questions.items():
            bench.put(tag, tensors)
        found = bench.results(1.0)
        for tag, tensors in questions.items():
            same(found[tag], alone(GREY, tensors))
    assert bench.session.runs == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    assert bench.core.take_news() == ["the device has no memory for 8 items of 1x32x32 of grey at once: 2 from now on"]
    assert bench.core.take_news() == []


def test_one_question_with_more_than_fits_is_split():
    bench = Bench(most_items=3)
    bench.put("a", lumas(7))
    same(bench.results(1.0)["a"], alone(GREY, lumas(7)))
    bench.put("b", lumas(30, side=64))
    found = bench.results(1.0)["b"]
    same(found, alone(GREY, lumas(30, side=64)))


def test_where_not_even_one_fits_that_is_the_answer():
    bench = Bench(most_items=0)
    bench.put("a", lumas(1))
    bench.put("b", lumas(1))
    found = bench.results(1.0)
    assert all(isinstance(result, DeviceMemoryError) for result in found.values())
    assert len(found) == 2


def test_one_that_fails_costs_no_other(bench: Bench):
    bench.session.refuses = {7}
    questions = {"a": lumas(1, 101), "bad": lumas(1, 7), "c": lumas(2, 102)}
    for tag, tensors in questions.items():
        bench.put(tag, tensors)
    found = bench.results(0.0)
    assert str(found.pop("bad")) == "it refuses this"
    for tag, result in found.items():
        same(result, alone(GREY, questions[tag]))


def test_a_tensor_that_does_not_fit_is_an_answer_to_who_sent_it(bench: Bench):
    bench.put("a", {"luma": np.zeros((1, 1, 32, 32), np.float32)})
    bench.put("b", {"image": np.zeros((1, 1, 32, 32), np.uint8)})
    bench.put("c", {"luma": np.zeros((), np.uint8)})
    bench.put("d", {})
    found = bench.results(1.0)
    assert set(found) == set("abcd")
    assert all(isinstance(result, InferenceError) for result in found.values())


def test_a_model_with_a_fixed_batch_is_never_given_another():
    bench = Bench(SessionSpec(doubling_model(), device=DEVICE))
    assert bench.session.profile.largest == 1
    for tag in "ab":
        bench.put(tag, {"x": np.full((1, 2, 4, 4), ord(tag), np.float32)})
    found = bench.results(0.0)
    assert bench.session.runs == [1, 1]
    assert [found[tag][0].max() for tag in "ab"] == [2 * ord("a"), 2 * ord("b")]  # type: ignore[index]


def test_a_lost_device_is_no_answer_but_the_end(bench: Bench):
    bench.put("a", lumas(1, 252))
    batch = bench.core.take(1.0)
    assert batch is not None
    with pytest.raises(DeviceLostError):
        bench.core.compute(batch)


def test_a_surprise_in_a_session_is_an_answer_too(bench: Bench):
    def surprise(tensors: object) -> list[np.ndarray]:
        raise KeyError("luma")

    bench.session.run = surprise  # type: ignore[method-assign, assignment]
    bench.put("a", lumas(1))
    (result,) = bench.results(1.0).values()
    assert isinstance(result, InferenceError)
    assert str(result).startswith("grey: KeyError: 'luma'")


def test_outputs_that_do_not_tell_whose_they_are_are_computed_alone(bench: Bench):
    bench.session.run = lambda tensors: [np.float32(len(tensors["luma"])).reshape(())]  # type: ignore[method-assign, assignment]
    for tag in "abcd":
        bench.put(tag, lumas(1))
    assert [result[0].item() for result in bench.results(0.0).values()] == [1, 1, 1, 1]  # type: ignore[index]


class Echo:
    """A session whose output is its input."""

    runtime, inputs, outputs = "echo", (), ()

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def run(self, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert 1 <= len(tensors["x"]) <= self.profile.largest
        return [tensors["x"]]

    def close(self) -> None:
        pass


@settings(max_examples=40, deadline=None)
@given(
    questions=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3), st.floats(0, 0.02)), max_size=30),
    best=st.integers(1, 5),
    more=st.integers(0, 5),
)
def test_everyone_gets_exactly_the_own_answer_and_nobody_waits_too_long(questions, best, more):
    profile = Profile(1, best, best + more)
    core: InferenceCore[int] = InferenceCore(WAIT, lambda spec: Echo(profile))  # type: ignore[arg-type, return-value]
    core.open(GREY)
    now, asked, answered, taken = 0.0, {}, {}, []

    def compute(batch: Batch[int]) -> None:
        taken.append(batch.rows)
        answered.update(core.compute(batch))

    for tag, (rows, width, gap) in enumerate(questions):
        while (left := core.seconds_left(now)) is not None and left < gap:
            now, gap = now + left + 1e-9, gap - left
            while (batch := core.take(now)) is not None:
                compute(batch)
        now += gap
        asked[tag] = np.full((rows, width), tag, np.float32)
        core.put(tag, GREY, {"x": asked[tag]}, now)
        while (batch := core.take(now)) is not None:
            compute(batch)
        assert all(request.since > now - WAIT - 1e-6 for waiting in core._waiting.values() for request in waiting)
    while (batch := core.take(now + 2 * WAIT)) is not None:
        compute(batch)
    assert answered.keys() == asked.keys()
    assert all(np.array_equal(answered[tag][0], array) for tag, array in asked.items())
    assert sum(taken) == sum(map(len, asked.values()))
    assert len(core) == 0
