"""What the child does: see ``engine.service.task``."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from pathlib import Path

from msgspec.structs import replace

from engine.archive.reader import recorded
from engine.archive.record import embedder_sha256
from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.probed import Probed
from engine.control.answers import Done, Enrolled, Found, PictureVerdict
from engine.control.verbs import Picture
from engine.decode.still import read_content, read_still
from engine.detect.catalog import open_detector
from engine.detect.detector import Detector
from engine.detect.second_look import SecondLook, open_second_look
from engine.enrolment.enrol import enrol_pictures
from engine.enrolment.portrait import find_portrait
from engine.errors import EnrolmentRefused, PictureError, SourceError
from engine.models import find_model
from engine.probe.probe import probe
from engine.service.refusal import Refusal, in_service_words, nobody
from engine.service.resemblance import people_like, tracks_like, vectors_of
from engine.service.run_expiry import expire_run
from engine.service.self_test import self_test
from engine.service.task_messages import (
    AnyTask,
    EnrolTask,
    ExpireTask,
    NotThatTask,
    ProbeTask,
    SearchTask,
    SelfTestTask,
    TaskResult,
)
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.person_name import spelling
from engine.words.numbers import count

_UNUSUAL = re.compile(r"[^\w.() -]+")


def work(task: AnyTask) -> TaskResult:
    """Do a task.

    Raises:
        Refusal: it is not done, for a reason of who asked.
        FacestreamError: it failed.
    """
    match task:
        case EnrolTask():
            return enrol(task)
        case SearchTask():
            return search(task)
        case NotThatTask():
            return not_that_person(task)
        case SelfTestTask():
            return self_test(task)
        case ProbeTask():
            return look(task)
        case ExpireTask():
            return expire_run(task)


def look(task: ProbeTask) -> Probed:
    """Look at a camera.

    Raises:
        Refusal: it gives no picture.
    """
    try:
        return probe(task.camera, replace(task.detect, device="cpu"), task.seconds, task.redact)
    except SourceError as error:
        raise Refusal("refused", in_service_words(str(error)), "source.uri") from error


def enrol(task: EnrolTask) -> Enrolled:
    """Put pictures into the gallery."""
    paths = [written(task.folder, number, picture) for number, picture in enumerate(task.pictures, 1)]
    with ExitStack() as opened:
        detector, second_look, embedder = _models(task.detect, task.verify, opened)
        gallery = opened.enter_context(open_gallery(task.verify.gallery_place))
        results = enrol_pictures(task.name, paths, detector, embedder, gallery, force=task.force, second_look=second_look)
    verdicts = [
        PictureVerdict(
            name=picture.name or one.path.name,
            outcome=one.outcome,
            reason=_without_folder(one.reason, one.path),
            remedy=in_service_words(one.remedy),
            quality=one.quality,
        )
        for one, picture in zip(results, task.pictures, strict=True)
    ]
    return Enrolled(name=task.name, pictures=verdicts)


def search(task: SearchTask) -> Found:
    """Find who resembles the face of a picture."""
    path = written(task.folder, 1, task.picture)
    with ExitStack() as opened:
        detector, second_look, embedder = _models(task.detect, task.verify, opened)
        remarks: tuple[str, ...] = ()
        try:
            still = read_still(path, read_content(path))
            remarks = still.remarks
            portrait = find_portrait(path, still.bgr, detector, second_look)
        except (EnrolmentRefused, PictureError) as error:
            return Found(reason="; ".join([_without_folder(str(error), path), *remarks]))
        vector = embedder.embed([portrait.bgr], [portrait.landmarks])[0]
        people = people_like(vector, task.verify.gallery_place, embedder)[: task.most]
        tracks = tracks_like(vector, Path(task.runs), embedder, task.since_ns)[: task.most]
    nobody = () if people or tracks else ("nobody resembles this face",)
    return Found(people=people, tracks=tracks, reason="; ".join([*nobody, *remarks]))


def not_that_person(task: NotThatTask) -> Done:
    """Keep the faces of a track as no pictures of a person.

    Raises:
        Refusal: there is no such track or person.
    """
    directory = Path(task.directory)
    vectors, embedder = vectors_of(directory, task.stream, task.track_id), embedder_sha256(recorded(directory))
    if not vectors or not embedder:
        track = f"track {task.track_id} of {task.stream[:80]!r}"
        raise Refusal("not_found", f"the run {task.run_id} has no {track}, or no faces of it any more", "track_id")
    source = f"{task.run_id}/{task.stream}/{task.track_id}"
    with open_gallery(task.gallery) as gallery:
        if spelling(task.name) not in {person.name for person in gallery.list()}:
            raise nobody(task.name)
        kept = gallery.keep_negatives(task.name, embedder, source, vectors)
    return Done(note=f"{count(kept, 'face')} {'is' if kept == 1 else 'are'} kept as not {spelling(task.name)}")


def _models(detect: DetectConfig, verify: VerifyConfig, opened: ExitStack) -> tuple[Detector, SecondLook | None, Embedder]:
    """Open what finds and compares faces; on the processor, wherever the run computes."""
    detect, verify = replace(detect, device="cpu"), replace(verify, device="cpu")
    embedder = open_embedder(verify, find_model)
    if embedder is None:
        raise Refusal("refused", "the service has no embedder (verify.embedder: none): faces cannot be compared")
    opened.enter_context(closing(embedder))
    detector = opened.enter_context(closing(open_detector(detect, find_model)))
    second_look = open_second_look(replace(detect, second_look=True), find_model)
    if second_look is not None:
        opened.enter_context(closing(second_look))
    return detector, second_look, embedder


def written(folder: str, number: int, picture: Picture) -> Path:
    """Write an upload where pictures are read from; its name is nothing that a path could be made of."""
    name = _UNUSUAL.sub("_", Path(picture.name).name)[-80:].strip(". ") or "picture"
    path = Path(folder) / str(number) / name  # the gallery keeps the name: it is the one that was given
    path.parent.mkdir(mode=0o700)
    path.write_bytes(picture.content)
    return path


def _without_folder(sentence: str, path: Path) -> str:
    named = sentence.replace(str(path), path.name).replace("--force", "force")
    return in_service_words(named)
