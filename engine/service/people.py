"""The verbs about people: the gallery, and what is looked for in it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from engine.contracts.gallery import GalleryPlace
from engine.contracts.messages import is_run_id
from engine.control.answers import Done, Enrolled, Found, People, Person, Quarantine, SetApart
from engine.control.verbs import (
    MOST_FOUND,
    MOST_PICTURES,
    MOST_PORTRAITS,
    DropPicture,
    EnrolPerson,
    NotThatPerson,
    Picture,
    ReleasePicture,
    RemovePerson,
    RenamePerson,
    Request,
    SearchPerson,
)
from engine.errors import GalleryRefusal, NameTakenError, UsageError
from engine.service.deadlines import check_deadline, seconds_left
from engine.service.directory import ServiceDirectory
from engine.service.life import Life
from engine.service.refusal import Refusal, in_service_words, nobody
from engine.service.task_messages import EnrolTask, NotThatTask, SearchTask
from engine.service.tasks import Tasks
from engine.verify.gallery.joining import joining_words, same_name_words
from engine.verify.gallery.opening import gallery_words, is_there, open_gallery
from engine.verify.gallery.person_name import person_name
from engine.verify.gallery.records import Kept
from engine.verify.gallery.stored import StoredGallery

SEARCHED_DAYS = 30.0


class PeopleVerbs:
    """Does each verb.

    Args:
        life: of the service.
        directory: of the service.
        tasks: where pictures are decoded.
        upload_bytes: the largest picture.
    """

    def __init__(self, life: Life, directory: ServiceDirectory, tasks: Tasks, upload_bytes: int) -> None:
        self._life, self._directory, self._tasks, self._upload_bytes = life, directory, tasks, upload_bytes

    @property
    def gallery(self) -> GalleryPlace:
        """See ``gallery_file``."""
        return self._life.config.verify.gallery_place

    def list(self) -> People:
        """See ``ListPeople``."""
        where = gallery_words(self.gallery)
        if not is_there(self.gallery):
            return People(people=[], gallery=where)
        with open_gallery(self.gallery, read_only=True) as gallery:
            wrong = gallery.negatives()
            people = [
                Person(name=one.name, pictures=one.pictures, wrong_names=wrong.get(one.name, 0)) for one in gallery.list()
            ]
        return People(people=people, gallery=where)

    def enrol(self, verb: EnrolPerson, request: Request) -> Enrolled:
        """See ``EnrolPerson``."""
        name = _name(verb.name, "name")
        if not 1 <= len(verb.pictures) <= MOST_PICTURES:
            raise Refusal("bad_request", f"give 1 to {MOST_PICTURES} pictures", "pictures")
        for index, picture in enumerate(verb.pictures):
            self._check_size(picture, f"pictures[{index}]")
        config = self._life.config
        with self._folder() as folder:
            task = EnrolTask(
                name=name,
                pictures=verb.pictures,
                force=verb.force,
                detect=config.detect,
                verify=config.verify,
                folder=folder,
            )
            return self._tasks.run(task, Enrolled, seconds_left(request))

    def remove(self, verb: RemovePerson, request: Request) -> Done:
        """See ``RemovePerson``."""
        with self._writable(request) as gallery:
            removed = gallery.remove(verb.name)
        if not removed.total:
            raise nobody(verb.name)
        return Done(note=f"{removed.words} removed")

    def rename(self, verb: RenamePerson, request: Request) -> Done:
        """See ``RenamePerson``."""
        new = _name(verb.new_name, "new_name")
        with self._writable(request) as gallery:
            before = gallery.people()
            try:
                renamed = gallery.rename(verb.name, new, join=verb.join)
            except NameTakenError as error:
                raise Refusal("conflict", str(error).replace("--join", '"join": true (of ctl: --join)'), "new_name") from error
        if not renamed.total:
            raise nobody(verb.name)
        done = same_name_words(verb.name, new) or f"{renamed.words} renamed"
        return Done(note=done + joining_words(before, verb.name, new))

    def quarantine(self) -> Quarantine:
        """See ``ListQuarantine``."""
        if not is_there(self.gallery):
            return Quarantine(pictures=[])
        with open_gallery(self.gallery, read_only=True) as gallery:
            found, portraits = gallery.quarantined(), gallery.portraits()
        return Quarantine(pictures=[_apart(one, portraits, at < MOST_PORTRAITS) for at, one in enumerate(found)])

    def release(self, verb: ReleasePicture, request: Request) -> Done:
        """See ``ReleasePicture``."""
        with self._writable(request) as gallery, _refused():
            one = gallery.release(verb.picture, _name(verb.name, "name"))
        return Done(note=f"{one.picture_sha256[:8]} is enrolled for {one.identity}")

    def drop(self, verb: DropPicture, request: Request) -> Done:
        """See ``DropPicture``."""
        with self._writable(request) as gallery, _refused():
            one = gallery.drop(verb.picture, _name(verb.name, "name"))
        return Done(note=f"{one.picture_sha256[:8]} of {one.identity} is forgotten")

    def search(self, verb: SearchPerson, request: Request) -> Found:
        """See ``SearchPerson``."""
        if not 1 <= verb.most <= MOST_FOUND:
            raise Refusal("bad_request", f"most must be from 1 to {MOST_FOUND}", "most")
        self._check_size(verb.picture, "picture")
        config = self._life.config
        with self._folder() as folder:
            task = SearchTask(
                picture=verb.picture,
                most=verb.most,
                runs=str(self._directory.runs),
                since_ns=time.time_ns() - int(SEARCHED_DAYS * 86_400e9),
                detect=config.detect,
                verify=config.verify,
                folder=folder,
            )
            return self._tasks.run(task, Found, seconds_left(request))

    def not_that_person(self, verb: NotThatPerson, request: Request) -> Done:
        """See ``NotThatPerson``."""
        directory = self._directory.runs / verb.run_id
        if not is_run_id(verb.run_id) or not directory.is_dir():
            raise Refusal("not_found", f"the run {verb.run_id[:80]!r} is no longer here", "run_id")
        if not is_there(self.gallery):
            raise nobody(verb.name)
        task = NotThatTask(
            name=verb.name,
            directory=str(directory),
            run_id=verb.run_id,
            stream=verb.stream,
            track_id=verb.track_id,
            gallery=self.gallery,
        )
        return self._tasks.run(task, Done, seconds_left(request))

    def _check_size(self, picture: Picture, field: str) -> None:
        name = picture.name[:80] or "the picture"
        if len(picture.content) > self._upload_bytes:
            raise Refusal("too_large", f"{name} has more than {self._upload_bytes:,} bytes (serve.upload_bytes)", field)
        if not picture.content:
            raise Refusal("bad_request", f"{name} is empty: give a picture", field)

    @contextmanager
    def _folder(self) -> Iterator[str]:
        """Yield a folder for a child's pictures, of which nothing is left."""
        uploads = self._directory.path / "uploads"
        uploads.mkdir(mode=0o700, exist_ok=True)
        folder = tempfile.mkdtemp(dir=uploads)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _writable(self, request: Request) -> Iterator[StoredGallery]:
        if not is_there(self.gallery):
            raise Refusal("not_found", "nobody is enrolled yet")
        check_deadline(request)
        with open_gallery(self.gallery) as gallery:
            yield gallery


def _apart(one: Kept, portraits: Mapping[tuple[str, str], bytes], with_portrait: bool) -> SetApart:
    portrait = portraits.get((one.identity, one.picture_sha256), b"") if with_portrait else b""
    return SetApart(
        name=one.identity,
        picture=one.picture_sha256,
        file=one.source_name,
        reason=one.doubt,
        quality=one.quality,
        at=one.at,
        portrait=portrait,
    )


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except GalleryRefusal as error:
        raise Refusal("refused", in_service_words(str(error)), "picture") from error


def _name(text: str, field: str) -> str:
    try:
        return person_name(text)
    except UsageError as error:
        raise Refusal("bad_request", str(error), field) from error
