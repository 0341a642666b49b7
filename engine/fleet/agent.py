"""What makes a service a node: a thread that speaks with the database, and one that needs nobody's answer to end cameras.

The first holds the lease, follows the placements, and is the placer where it falls to this node. The second answers other
nodes, asks them where there is no database, ends a session that does not answer, and says until when cameras may be read: in a
file that their own processes look at, so that they end in time even where this whole process hangs.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from engine import __version__
from engine.config.fleet import FleetConfig
from engine.contracts.messages import is_stream_name
from engine.errors import ConfigError, DatabaseError, error_words
from engine.fleet.cache import FleetFolder, Remembered
from engine.fleet.cameras import Cameras
from engine.fleet.file import FleetCamera
from engine.fleet.held_cameras import HeldCameras
from engine.fleet.lease import Lease, abort
from engine.fleet.peers import Peers
from engine.fleet.permit import Permit, now_seconds
from engine.fleet.placer import place_all
from engine.fleet.quorum import Permission, Timing
from engine.fleet.view import About
from engine.postgres.address import is_postgres, refuse_password
from engine.postgres.connection import require_driver
from engine.runtime.bell import Bell
from engine.runtime.closing import Closing

_TURN_MS = 100
_BUSY_SECONDS = 0.2
"""Between two looks while a camera is on its way."""
_END_SECONDS = 5.0
_QUIET_SECONDS = 60.0


class Says(Protocol):
    """Where it says what happens."""

    def warn(self, sentence: str) -> None:
        """Say what should not be."""

    def say(self, sentence: str) -> None:
        """Say what is good to know."""


class Agent(Closing):
    """Works from construction to ``close``.

    Args:
        config: with a database.
        folder: of its own, see ``FleetFolder``.
        cameras: of the service.
        says: is told what happens.

    Raises:
        ConfigError: something in the configuration, or the folder, cannot be used.
        MissingRuntimeError: psycopg is not installed.
        PublishError: ``listen`` is in use.
    """

    def __init__(self, config: FleetConfig, folder: Path, cameras: Cameras, says: Says) -> None:
        require_driver()
        self._config, self._says = config, says
        self.node = node_name(config)
        self._folder = FleetFolder(folder)
        self._remembered = self._folder.read(config.database, self.node)
        now = now_seconds()
        self._permit = Permit(self._folder.permit, writes=True)
        timing = Timing(self._remembered.lease_seconds)
        ends = now + timing.lease if self._is_alone else self._permit.until + timing.margin
        self._permission = Permission(self.node, timing, now, ends if ends - timing.margin > now else 0.0)
        self._peers = self._listen()
        self._cameras, self._held = cameras, HeldCameras(self.node, cameras, self._remember_cameras)
        self._lease: Lease | None = None
        self._newest = (0, "")
        """What was known of the nodes when they were last looked at: one that was started anew may be asked elsewhere."""
        self._former = 0
        """The session before, at the server."""
        self._over, self._bell = threading.Event(), Bell()
        cameras.tell(self._bell.ring)
        self._writing = threading.Lock()
        self._is_over = True
        """The lease was over when it was last looked at."""
        self._trouble: float | None = None
        """When it was last said that something is wrong; None: nothing is."""
        self._has_ended_session = False
        """The last session was ended from here, as it did not answer."""
        self._threads = [
            threading.Thread(target=target, name=f"fleet-{name}", daemon=True)
            for name, target in (("lease", self._hold), ("guard", self._guard))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """For when no camera is read any more; they stay this node's until its lease is over, should it be started anew."""
        self._over.set()
        self._bell.ring()
        for thread in self._threads:
            thread.join(_END_SECONDS)
        if not self._threads[1].is_alive():
            self._peers.close()
        self._held.close()

    # The thread of the lease.

    def _hold(self) -> None:
        self._held.resume(self._remembered.cameras, goes_on=now_seconds() < self._permission.until)
        while not self._over.is_set():
            try:
                self._one_session()
            except Exception as error:  # the next session may do
                self._say_trouble(error)
            self._over.wait(self._permission.timing.ask)

    def _say_trouble(self, error: Exception) -> None:
        """Say what is wrong, once a minute."""
        now = now_seconds()
        if self._over.is_set() or (self._trouble is not None and now - self._trouble < _QUIET_SECONDS):
            return
        self._trouble = now
        words = error_words(error)
        if self._has_ended_session:
            words = f"the database {self._config.database} has not answered for seconds"
        self._says.warn(f"fleet: {words}")

    @property
    def _is_alone(self) -> bool:
        return set(self._remembered.nodes) == {self.node}

    def _one_session(self) -> None:
        self._has_ended_session = False
        lease_seconds = self._remembered.lease_seconds
        lease = self._lease = Lease(self._config.database, self.node, lease_seconds)
        try:
            seconds = lease.lease_seconds() if self._former else lease.prepare()
            if seconds != lease_seconds:  # no node was there when it was changed
                self._permission.timing = Timing(seconds)
                self._remember(replace(self._remembered, lease_seconds=seconds))
                return
            if self._former:
                lease.end_former(self._former)
            lease.unsettle()
            self._wait_for_lock(lease)
            lease.announce(self._about(lease))
            self._former = lease.pid
            self._reclaim(lease)
            self._know(lease)
            lease.on_answer = self._renewed
            if self._trouble is not None:
                self._trouble = None
                self._says.say("fleet: the database answers again")
            while not self._over.is_set():
                self._turn(lease)
        finally:
            lease.close()
            self._lease = None
            self._permission.closed(now_seconds())

    def _wait_for_lock(self, lease: Lease) -> None:
        self._permission.opening(now_seconds())
        lease.on_answer = self._permission.answered
        waited = 0
        while not lease.take_node():
            waited += 1
            if self._over.is_set():
                raise DatabaseError("the service ends")
            if waited == round(2 * self._permission.timing.lease / _BUSY_SECONDS):
                self._says.warn(f"fleet: another process is the node {self.node}: give each its own name in fleet.node")
            self._over.wait(_BUSY_SECONDS)
            self._permission.opening(now_seconds())

    def _reclaim(self, lease: Lease) -> None:
        """Take the cameras that are read here, under the new session, or stop them, before anything is renewed."""
        self._write_permit()
        self._held.reclaim(lease, self._permission.timing.delay)

    def _know(self, lease: Lease) -> None:
        known = lease.known()
        self._remember(replace(self._remembered, version=known.version, nodes=known.nodes))

    def _turn(self, lease: Lease) -> None:
        began = now_seconds()
        settled = self._permission.is_settled(began)
        newest = lease.renew(self._cameras.load(), self._remembered.version, settled=settled)
        if newest != self._newest:
            self._know(lease)
            self._newest = newest
        busy = self._held.follow(lease, lease.placed())
        if lease.is_placer():
            place_all(lease.connection)
        pause = _BUSY_SECONDS if busy else self._permission.timing.renew
        lease.wait(max(0.01, began + pause - now_seconds()), self._bell)

    def _renewed(self, sent: float) -> None:
        self._permission.renewed(sent)
        self._write_permit()

    def _about(self, lease: Lease) -> About:
        config = self._config
        host = config.address.replace("{node}", self.node) or lease.address()
        return About(
            labels=config.labels,
            capacity=float(config.capacity or 0),
            endpoint=f"tcp://{f'[{host}]' if ':' in host else host}:{self._peers.port}",
            public_key=self._peers.public_key.decode(),
            console=config.console,
            version=__version__,
        )

    def _remember(self, remembered: Remembered) -> None:
        self._remembered = remembered
        with suppress(OSError):  # it is missed at a start without the database alone
            self._folder.write(remembered)

    def _remember_cameras(self, cameras: tuple[FleetCamera, ...]) -> None:
        self._remember(replace(self._remembered, cameras=cameras))

    # The thread that waits for nobody.

    def _guard(self) -> None:
        next_question = 0.0
        while not self._over.is_set():
            try:
                rounds = self._peers.turn(_TURN_MS, lambda: self._permission.answer(now_seconds()))
                now, nodes = now_seconds(), self._remembered.nodes
                self._end_what_hangs(now)
                if self._permission.has_session:
                    self._peers.rest()
                else:
                    for asked, answers in rounds:
                        self._permission.heard(nodes, answers, asked, now)
                    if now >= next_question:
                        next_question = now + self._permission.timing.ask
                        self._peers.ask(nodes)
                        self._permission.heard(nodes, {}, now, now)
                self._write_permit()
            except Exception as error:  # nobody starts this thread anew
                self._says.warn(f"fleet: the lease guard failed: {error_words(error)}")
                self._over.wait(1.0)

    def _end_what_hangs(self, now: float) -> None:
        lease, permission = self._lease, self._permission
        begins = lease is not None and not permission.has_session
        if lease is not None and (permission.is_given_up(now) or (begins and now - lease.began > permission.timing.lease)):
            self._has_ended_session = True
            with suppress(Exception):  # it has been closed meanwhile
                abort(lease.connection)

    def _write_permit(self) -> None:
        """Say until when; where the file was out of date for a moment, some camera may have ended, and all begin anew."""
        with self._writing:
            before = self._permit.until
            self._permit.until = self._permission.until
            was_over = before <= now_seconds()
        self._stop_when_over(was_over=was_over)

    def _stop_when_over(self, *, was_over: bool) -> None:
        if not was_over:
            self._is_over = False
            return
        stopped = self._held.stop_all()
        if stopped and not self._is_over:
            self._says.warn(f"fleet: this node's lease expired: {', '.join(sorted(stopped))} stopped until it has one again")
        self._is_over = True

    def _listen(self) -> Peers:
        """Listen where others may still look for this node, if that is left open."""
        listen, port = self._config.listen, self._remembered.port
        wanted = [listen.removesuffix("*") + str(port)] if port and listen.endswith(":*") else []
        for endpoint in wanted:
            with suppress(Exception):
                return Peers(self.node, endpoint, self._folder.secret_key, now_seconds)
        peers = Peers(self.node, listen, self._folder.secret_key, now_seconds)
        self._remember(replace(self._remembered, port=peers.port))
        return peers


def node_name(config: FleetConfig) -> str:
    """Return the name of a node, once all of the section is known to be possible.

    Raises:
        ConfigError: the machine's name cannot be a node's, or the database is none, or its address holds a password.
    """
    if not is_postgres(config.database):
        raise ConfigError("fleet.database is not a database of a fleet: give postgresql://USER@HOST/NAME")
    refuse_password(config.database, "fleet.database")
    name = config.node or socket.gethostname().partition(".")[0]
    if not is_stream_name(name):
        whose = "" if config.node else "this machine's name "
        raise ConfigError(f"fleet.node: {whose}{name!r} cannot be a node's: give 1 to 64 characters of A-Z a-z 0-9 _ . -")
    return name
