"""Checks that refuse a run before a process is started or a model is loaded. Each imports what it needs by itself, since most
runs need none of that to begin."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

from engine.archive.claim import check_free, check_writable, held_by_a_run, lock_for_run
from engine.config import Config, PublishConfig
from engine.contracts.gallery import GalleryPlace
from engine.errors import ConfigError, GalleryError, MissingGalleryError
from engine.models import find_model
from engine.models.dlib_embedder import NAME as DLIB
from engine.publish.exposure import check_exposure
from engine.words.enrolling import enrol_command
from engine.words.times import utc_words


def check_before(config: Config, warn: Callable[[str], None], *, is_service: bool) -> None:
    """Refuse what cannot be carried out, as far as that can be seen at once.

    Args:
        config: of the run.
        warn: called with a sentence on what is unwise but not wrong.
        is_service: results may go nowhere, and people are enrolled while it goes on.

    Raises:
        ConfigError: there is nowhere to put the result, it would go to others in the clear, a path, an address or a key is
            wrong, or the output directory holds a run already.
        GalleryError: the gallery is none, or cannot be read.
        PublishError: an endpoint is in use, or may not be used; another run is writing to the output directory.
        ModelError: a model is named that is not there.
    """
    _check_output(config, warn, is_service=is_service)
    if not config.publish.endpoint and not config.output.directory and not is_service:
        raise ConfigError("there is nowhere to put the result: give --out DIR, --publish ENDPOINT, or both")
    _check_publish(config, warn)
    check_models(config)
    _check_gallery(config, warn, is_service=is_service)


def _check_output(config: Config, warn: Callable[[str], None], *, is_service: bool) -> None:
    output, directory = config.output, Path(config.output.directory)
    if output.resume and (not output.directory or output.overwrite):
        raise ConfigError("--resume needs the --out directory of the interrupted run, and does not go with --overwrite")
    if output.sign:
        if not output.directory and not is_service:
            raise ConfigError("--sign vouches for what is written to --out: give that, too")
        from engine.keys.signing import signing_key

        signing_key(Path(output.sign).expanduser())
    if not output.directory:
        return
    if output.resume and not output.sign:
        from engine.archive.chain_writer import check_may_go_on

        check_may_go_on(directory)
    _check_own(directory)
    check_writable(directory)
    check_untaken(config)
    if output.resume and not held_by_a_run(directory):
        warn(f"there is no run in {directory} to continue: it starts from the beginning")


def _check_own(directory: Path) -> None:
    """Refuse a directory in which everything lies: no other command may write below that of a run."""
    everything = {"/": "the root of all files", os.path.expanduser("~"): "the home directory"}
    with suppress(OSError):  # none may be written to, as in a container whose files are read-only
        everything[gettempdir()] = "for all programs"
    for path, what in everything.items():
        with suppress(OSError):  # one of them is not there
            if directory.samefile(path):
                raise ConfigError(
                    f"--out {directory} is {what}: give a directory of the run's own, such as {directory / 'result'}"
                )


def check_untaken(config: Config) -> None:
    """Refuse an output directory that another run is writing to, or has written to.

    Raises:
        PublishError: a run is writing to it; what replaces a run, or goes on with one, waits a moment for its end.
        ConfigError: it holds a run, which is neither to be replaced nor gone on with.
    """
    output, directory = config.output, Path(config.output.directory)
    is_meant = output.overwrite or output.resume
    with suppress(OSError):  # there is none yet, or whoever writes to it says what is wrong with it
        lock_for_run(directory, follows=is_meant).close()
    if not is_meant:
        check_free(directory)


def _check_publish(config: Config, warn: Callable[[str], None]) -> None:
    publish = config.publish
    if publish.replay and not publish.endpoint:
        raise ConfigError("publish.replay needs publish.endpoint: give both, or neither")
    if sentence := check_exposure(publish):
        warn(sentence)
    if publish.endpoint:
        _try_sockets(publish)


def _try_sockets(publish: PublishConfig) -> None:
    """Open the sockets that a run is to publish at, and let go of them at once."""
    import zmq

    from engine.publish.publisher import Publisher

    with zmq.Context() as context:
        publisher = Publisher(publish, "", context)
        publisher.remove_socket_files()
        publisher.close()


def check_models(config: Config) -> None:
    """Refuse names of models that are not there; cheap, nothing is opened.

    Raises:
        ModelError: a model is named that is not there.
        MissingRuntimeError: what a tracking method needs is not installed.
    """
    if config.detect.detector != "auto":
        from engine.detect.catalog import check_detector

        check_detector(config.detect)
    if config.track.method == "ocsort":
        from engine.track.oc_sort import check_installed

        check_installed()
    if config.super_resolve.generator != "none" and find_model(config.super_resolve.generator) is None:
        from engine.super_resolve.generator import check_generator

        check_generator(config.super_resolve, find_model)
    embedder = config.verify.embedder
    if embedder not in ("none", DLIB) and not embedder.startswith("insightface:"):  # the first may have to be made, for seconds
        from engine.verify.embedder import find_embedder

        find_embedder(embedder, find_model)


def _check_gallery(config: Config, warn: Callable[[str], None], *, is_service: bool) -> None:
    """A path that is misspelt would be an empty gallery, with which everybody is nobody."""
    place = config.verify.gallery_place
    if config.verify.embedder == "none" or place == GalleryPlace():
        return
    from engine.verify.gallery.opening import gallery_file, gallery_words, open_gallery

    named = gallery_file(place)
    try:
        with open_gallery(place, read_only=True) as gallery:
            if gallery.is_empty():
                command = enrol_command(place.where, place.key_file)
                warn(f"nobody is enrolled in the gallery {gallery.where} yet, so nobody is recognised: `{command}`")
    except MissingGalleryError as error:
        if not is_service:
            raise ConfigError(_missing_gallery(named) if named else str(error)) from error
        where = gallery_words(place)
        warn(f"the gallery {where} does not exist yet: nobody can be recognised before someone is enrolled in it")
    except GalleryError as error:
        if named or not _is_kept_here(place, f"{error}", warn):
            raise


def _is_kept_here(gallery: GalleryPlace, why: str, warn: Callable[[str], None]) -> bool:
    """Whether this machine keeps what a gallery in a database held, with which a run may begin."""
    from engine.verify.gallery.opening import kept_here

    if kept_ns := kept_here(gallery):
        warn(f"{why}; names are as of {utc_words(kept_ns)}, from this machine's copy")
    return bool(kept_ns)


def _missing_gallery(path: Path) -> str:
    """Return what to say of a gallery that was named and is not there, with what it may have been meant for."""
    try:
        files = [
            beside.name for beside in path.parent.iterdir() if beside.is_file() and beside.suffix in (path.suffix, ".sqlite")
        ]
    except OSError:
        files = []
    near = difflib.get_close_matches(path.name, files, n=1)
    meant = f"did you mean {path.parent / near[0]}? Otherwise check" if near else "check"
    return f"there is no gallery {path}: {meant} the path, or make it with `{enrol_command(str(path))}`"
