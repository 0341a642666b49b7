"""The console's sentences and sums, asked of its modules in a browser."""

from __future__ import annotations

import pytest

from engine.words.worth import bounded, ratio, share_of_strangers, worth

pytestmark = pytest.mark.e2e
GOOD = {"size_px": 60.0, "sharpness": 0.8, "frontal": 0.9, "score": 0.8, "damaged": False}
BASIS = {
    "faces": 5, "faces_needed": 2, "size_px": 60.0, "size_needed_px": 33.0, "quality": 0.8, "margin": 0.1,
    "margin_needed": 0.02, "false_name_rate": 0.001, "missing": "",
}  # fmt: skip


def candidate(name: str, cosine: float, chance: float | None) -> dict[str, object]:
    return {"identity": name, "cosine_original": cosine, "cosine_enhanced": None, "false_name_chance": chance}


ANNA, OMAR = candidate("Anna", 0.93, 0.0002), candidate("Omar", 0.83, 0.02)


def entry(decision, candidates=(), basis=None, quality=GOOD, faces=5):
    track = {"decision": decision, "candidates": list(candidates), "faces_enhanced": faces, "basis": basis}
    return {"track": track, "best": {"quality": quality}, "faces": faces}


SENTENCES = [
    (
        entry("known", [ANNA, OMAR], BASIS),
        "Looks so much like Anna that hardly any stranger would, and Omar comes nowhere near.",
    ),
    (entry("known", [ANNA]), "Looks so much like Anna that hardly any stranger would."),
    (entry("unknown", [OMAR], BASIS), "Looks like nobody in the gallery; Omar is the nearest."),
    (entry("none"), "Compared with nobody: nobody was enrolled then, or faces are not compared here."),
    (entry("undecided", [OMAR], faces=1), "Only 1 face so far: a decision needs 2."),
    (
        entry("undecided", [OMAR], BASIS | {"faces": 3, "faces_needed": 4, "missing": "faces"}),
        "Only 3 faces so far: a decision needs 4.",
    ),
    (
        entry("undecided", [OMAR], BASIS | {"faces": 1, "moments": 1, "nobody": 0, "persons": 1, "missing": "faces"}),
        "Only 1 face so far: a decision needs 2.",
    ),
    (
        entry("undecided", [OMAR], BASIS | {"moments": 12, "nobody": 11, "persons": 1, "missing": "faces"}),
        "The face can hardly be recognised at 11 of 12 moments: a name needs 2 faces on which it can.",
    ),
    (
        entry("known", [ANNA], BASIS | {"moments": 9, "nobody": 0, "persons": 2}),
        "Looks so much like Anna that hardly any stranger would. 2 people are in this track: this is about the one seen most.",
    ),
    (entry("undecided", [ANNA, OMAR], BASIS | {"missing": "margin"}), "Looks like Anna, but nearly as much like Omar."),
    (
        entry("undecided", [OMAR], BASIS | {"size_px": 18.0, "missing": "size"}),
        "Faces of 18 px are too small to name: about 33 px are needed.",
    ),
    (
        entry("undecided", [OMAR], BASIS | {"size_px": 32.7, "missing": "size"}),
        "Faces of 32.7 px are too small to name: about 33.0 px are needed.",
    ),
    (
        entry("undecided", [OMAR], BASIS | {"missing": "likeness"}, GOOD | {"sharpness": 0.1}),
        "Somewhat like Omar, but a stranger could look so too: the picture is blurred.",
    ),
    (
        entry("undecided", [OMAR], BASIS | {"missing": "likeness"}, GOOD | {"damaged": True}),
        "The picture arrived damaged, so it says little.",
    ),
]  # fmt: skip
FUNNEL = {
    "frames": 250, "detected_frames": 120, "found": 0, "too_small": 0, "unconfirmed": 0, "outranked": 0, "blurred": 0,
    "late": 0,
    "enhanced": 0, "passed_through": 0, "seconds": 10,
}  # fmt: skip
LIVE = {"state": "live", "paused": False}
ADVICE = [
    ({"paused": True}, FUNNEL, "The stream is paused"),
    ({"state": "failed"}, FUNNEL | {"frames": 0}, "No pictures arrive"),
    (LIVE, None, "Watching"),
    (LIVE, FUNNEL | {"frames": 0}, "No pictures arrived in this time"),
    (LIVE, FUNNEL | {"detected_frames": 0}, "No picture reached the detector"),
    (LIVE, FUNNEL, "The detector saw no face"),
    (LIVE, FUNNEL | {"found": 90, "too_small": 80}, "Most faces are too small"),
    (LIVE, FUNNEL | {"found": 90, "late": 60}, "The machine was too slow"),
    (LIVE, FUNNEL | {"found": 90, "unconfirmed": 60}, "Most of what looked like a face"),
    (LIVE, FUNNEL | {"found": 90, "outranked": 80, "blurred": 70}, "Most faces are blurred"),
    (LIVE, FUNNEL | {"found": 90, "too_small": 20, "outranked": 60, "enhanced": 10}, "All is well: 10 faces came out"),
    (LIVE, FUNNEL | {"found": 9}, "Faces were found and are being followed"),
]


def asked(page, module: str, call: str, *arguments):
    """Return what a module's function says."""
    script = f"async (given) => {{ const here = await import('/console/{module}.js'); return {call}; }}"
    return page.evaluate(script, list(arguments))


def test_a_decision_is_explained_in_a_sentence(page):
    found = asked(page, "why", "given[0].map((one) => here.whySentence(one, {}))", [one for one, _ in SENTENCES])
    assert found == [sentence for _, sentence in SENTENCES]


def test_a_share_of_strangers_is_said_as_in_the_report(page):
    shares = [1.0, 0.02, 0.001, 4e-4, 2.15e-5, 1e-9]
    said = asked(page, "words", "given[0].map(here.chance)", shares)
    assert said == [share_of_strangers(one) for one in shares]


def test_each_ground_has_a_verdict(page):
    small = entry("undecided", [OMAR, ANNA], BASIS | {"size_px": 18.0, "missing": "size", "quality": 0.4})
    found = asked(page, "why", "here.grounds(given[0], {})", small)
    assert [(one["name"], one["verdict"]) for one in found] == [
        ("Size", "poor"), ("Quality", "fair"), ("Faces", "good"), ("Likeness", "poor"), ("Margin", "fair"),
    ]  # fmt: skip
    assert found[3]["text"] == "strangers as alike: 20 in 1,000; a name needs 1 in 1,000 or fewer"
    mixed = entry("known", [ANNA], BASIS | {"faces": 14, "moments": 9, "nobody": 5, "persons": 2})
    found = asked(page, "why", "here.grounds(given[0], {})", mixed)
    assert [(one["name"], one["verdict"], one["text"]) for one in found[2:4]] == [
        ("Faces", "fair", "14 at 9 moments, 5 of them too poor to recognise anybody; a decision needs 2 faces"),
        ("People", "poor", "2 in this track; decided by the one seen at the most moments"),
    ]


@pytest.mark.parametrize(
    ("size", "needed", "text"),
    [
        (18.0, 33.0, "18 px; below 33 px hardly anybody gets a name"),
        (32.7, 33.0, "32.7 px; below 33.0 px hardly anybody gets a name"),
        (40.0, 33.0, "40 px; below 33 px hardly anybody gets a name"),
        (23.8, None, "23.8 px: few people can be told apart below 24.0 px"),
        (47.9, None, "47.9 px: names come more readily from 48.0 px"),
        (48.0, None, "48 px"),
    ],
)
def test_a_size_that_is_too_small_is_not_told_as_the_one_that_is_needed(page, size, needed, text):
    small = entry("undecided", [OMAR], BASIS | {"size_px": size, "size_needed_px": needed})
    assert asked(page, "why", "here.grounds(given[0], {})", small)[0]["text"] == text


def test_a_margin_that_is_too_narrow_is_not_told_as_the_one_that_is_needed(page):
    close = entry("undecided", [OMAR, ANNA], BASIS | {"margin": 0.0198, "missing": "margin"})
    found = asked(page, "why", "here.grounds(given[0], {})", close)
    assert found[-1]["text"] == "0.0198 ahead of Anna; 0.0200 are needed"


def test_a_likelihood_ratio_is_a_ground_with_its_bounds_and_says_what_the_report_says(page):
    basis = BASIS | {"bucket": "28-40 px, several faces", "log10_lr_bounds": [-1.7, 4.3]}
    found = asked(page, "why", "here.grounds(given[0], {})", entry("known", [ANNA | {"log10_lr": 2.4}], basis))
    assert found[-1] == {
        "name": "Evidence",
        "verdict": "good",
        "text": "appreciably more probable if it is Anna than if it is somebody else (likelihood ratio 250; for 28-40 px, "
        "several faces 1/50 to 20,000 can be shown). Of many enrolled the best has a high one by chance; relatives and twins "
        "were not measured",
    }
    most = asked(page, "why", "here.grounds(given[0], {})", entry("known", [ANNA | {"log10_lr": 4.3}], basis))
    assert "(likelihood ratio 20,000 or more; for" in most[-1]["text"]
    values = [-2.3, -0.8, -0.2, 0.0, 0.4, 1.5, 2.2, 3.4, 4.6, 6.1]
    assert asked(page, "words", "given[0].map((one) => here.ratio(one))", values) == [ratio(one) for one in values]
    assert asked(page, "words", "given[0].map((one) => here.bounded(one, [-2.3, 4.6]))", values) == [
        bounded(one, (-2.3, 4.6)) for one in values
    ]
    said = asked(page, "words", "given[0].map((one) => here.worth(one, 'Anna'))", values)
    assert said == [worth(one, "Anna").removeprefix("Such a likeness is ") for one in values]


def test_a_funnel_gives_one_sentence_of_advice(page):
    found = asked(page, "why", "given[0].map(([stream, funnel]) => here.advice(stream, funnel))", [one[:2] for one in ADVICE])
    assert [said for said, (*_, wanted) in zip(found, ADVICE, strict=True) if not said.startswith(wanted)] == []


def test_the_history_adds_up_over_a_new_run_and_is_bounded(page):
    samples = [100, 125, 150, 25, 50]  # a new run began after the third
    script = """(() => {
        const history = new here.History();
        given[0].forEach((frames, index) => history.add(1000 * index, [{ name: 'a', funnel: { frames } }]));
        const [whole, short, none] = [history.last('a', 60), history.last('a', 1), history.last('b', 60)];
        for (let at = 0; at < 2000; at++) history.add(1e6 + 1000 * at, [{ name: 'a', funnel: { frames: at } }]);
        return [whole.frames, whole.seconds, short.frames, none, history.last('a', 1e6).seconds];
    })()"""
    assert asked(page, "history", script, samples) == [100, 4, 25, None, 299]


def test_states_have_reasons_in_words(page):
    streams = [
        {"state": "live", "reason": ""},
        {"state": "stalled", "reason": "timeout", "seconds_in_state": 130},
        {"state": "failed", "reason": "auth", "seconds_in_state": 0},
        {"state": "ended", "reason": "drained", "seconds_in_state": 300},
        {"state": "connecting", "reason": "", "detail": ""},
        {"state": "paused", "paused": True},
    ]
    assert asked(page, "words", "given[0].map(here.stateReason)", streams) == [
        "",
        "The camera does not answer. This has lasted 2 minutes.",
        "The camera does not accept the user name or password.",
        "It was stopped on request. That was 5 minutes ago.",
        "Waiting for its first picture.",
        "Paused: its settings are kept, and it is not read.",
    ]


def test_every_reason_of_the_wire_has_words(page):
    from typing import get_args

    from engine.contracts.messages import Reason, StreamState

    reasons = [reason for reason in get_args(Reason) if reason]
    say = "given[0].map((reason) => here.stateReason({ state: 'failed', reason, detail: 'none' }))"
    assert [said for said in asked(page, "words", say, reasons) if said.startswith("none")] == []
    states = list(get_args(StreamState))
    assert all(asked(page, "words", "given[0].map(here.stateWord)", states))


def test_tracks_that_are_linked_are_one_stranger(page):
    links = [["a", "b"], ["c", "b"], ["d", "e"], ["f", "nobody"], ["g", "g"]]
    assert asked(page, "strangers", "here.groups(given[0], given[1])", list("abcdefgh"), links) == [["a", "b", "c"], ["d", "e"]]
