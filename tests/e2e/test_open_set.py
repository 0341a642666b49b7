"""Who gets a name, through the whole product: enrolled people and strangers, two seconds each."""

import zipfile

import pytest

from engine.config.verify import VerifyConfig
from engine.models import find_model
from engine.verify.embedder import open_embedder
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.assets import shared
from trt_build.data.people.photographs import person_of, read_photographs
from trt_build.data.people.recording import Recorder, plan

PEOPLE, ENROLLED = 24, 10


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    with zipfile.ZipFile(shared("data/lfw_gray/val.zip")) as archive:
        pictures = {}
        for name in sorted(archive.namelist()):
            pictures.setdefault(person_of(name), []).append(name)
        several = [names[:2] for names in pictures.values() if len(names) > 1][:PEOPLE]
        for names in several:
            for name in names:
                archive.extract(name, folder)
    return read_photographs(folder, "grey", lambda *_: None)


def test_enrolled_people_get_their_name_and_strangers_none(photographs, tmp_path):
    people = photographs.of_people()
    enrolled = sorted(people)[:ENROLLED]
    embedder = open_embedder(VerifyConfig(), find_model)
    embedder.close()
    with Gallery(tmp_path / "people.sqlite") as gallery:
        for person in enrolled:
            at = people[person][0]
            gallery.add(
                person,
                photographs.vectors[at],
                embedder=embedder.name,
                embedder_sha256=embedder.sha256,
                runtime=embedder.runtime,
                source_name=photographs.actors[at].name,
                picture_sha256=f"{at:064x}",
                quality=float(photographs.quality[at]),
            )
    settings = {
        "detect": {"detector": "grey"},
        "super_resolve": {"generator": "none"},
        "verify": {"gallery": str(tmp_path / "people.sqlite"), "false_name_rate": 0.01},  # at 0.001 too few of ten are named
        "publish": {"parts": ["embedding"]},
    }
    recorder = Recorder({one.name: one for one in photographs.actors}, tmp_path / "tracks", settings)
    shown = [photographs.actors[pictures[-1]].name for pictures in people.values()]
    tracks = recorder.record(plan(shown, 48.0, 7), lambda *_: None)
    assert len(tracks["picture"]) >= 0.9 * len(shown)
    said = list(zip(tracks["picture"].tolist(), tracks["decision"].tolist(), tracks["identity"].tolist(), strict=True))
    named = [(person_of(picture), identity) for picture, decision, identity in said if decision == "known"]
    assert all(who == identity for who, identity in named), named
    assert len(named) >= 0.2 * ENROLLED  # 38 of 100, see docs/names.md
    strangers = {decision for picture, decision, _ in said if person_of(picture) not in enrolled}
    assert strangers == {"unknown", "undecided"}
    assert "unknown" not in {decision for picture, decision, _ in said if person_of(picture) in enrolled}
