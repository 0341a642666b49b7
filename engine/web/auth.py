"""Who makes a request, and what they may do."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from engine.control.verbs import Role
from engine.errors import ConfigError
from engine.web.asked_link import AskedLink
from engine.web.attempts import Attempts
from engine.web.origins import SAFE, check_origin
from engine.web.problems import Refusal
from engine.web.report import Report
from engine.web.sessions import LoginLink, Session, Sessions
from engine.web.tokens import OWNER, ROLES, Entry, TokenFolder

PEER_NAME = "facestream.certificate"
"""In the scope: the common name of the client's certificate, which TLS has checked."""
CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True)
class Asker:
    """Somebody who is known."""

    name: str
    """For the audit log."""
    roles: tuple[Role, ...]
    session: Session | None = None
    """Where a cookie says who it is."""
    entry: Entry | None = None
    """Where a token or a certificate does."""


class Auth:
    """Tokens, certificates, sessions."""

    def __init__(self, tokens: TokenFolder, report: Report, *, secure: bool, port: int = 0) -> None:
        """Args:
        tokens: who may ask; looked at with each request, so what is revoked counts no longer at once.
        report: gets one line a minute on wrong tokens.
        secure: TLS is spoken, and the cookie is never sent without.
        port: where it listens: cookies know none, and two services of one machine must not take each other's for their own.
        """
        self._tokens, self._report, self._secure = tokens, report, secure
        self._attempts, self._sessions = Attempts(), Sessions()
        self.link, self.asked_link = LoginLink(), AskedLink(tokens.path)
        self._cookie = f"{'__Host-' if secure else ''}facestream-{port}"

    def asker(self, request: Request) -> Asker:
        """Return who asks.

        Raises:
            Refusal: nobody known, or the request may come from another site's page.
        """
        if (token := _bearer(request)) is not None:
            entry = self._checked(request, token)
            return Asker(entry.name, entry.roles, entry=entry)
        if (session := self.session(request)) is not None:
            _check_page(request, session)
            return Asker(session.name, session.roles, session)
        if (entry_of_certificate := self._by_certificate(request)) is not None:
            check_origin(request)  # a browser shows its certificate to every page's request
            return Asker(entry_of_certificate.name, entry_of_certificate.roles, entry=entry_of_certificate)
        raise Refusal(
            "unauthorised",
            "say who you are: log in, or send `Authorization: Bearer TOKEN` with a token of `facestream tokens new`",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def session(self, request: Request) -> Session | None:
        """Return the session that the cookie names, None where there is none."""
        secret = request.cookies.get(self._cookie)
        return self._sessions.find(secret, self._entries()) if secret else None

    def log_in(self, request: Request, token: str) -> tuple[str, Session]:
        """Return a new cookie's value and its session.

        Raises:
            Refusal: the token is wrong.
        """
        check_origin(request)
        entry = self._checked(request, token)
        self.log_out(request)
        return self._sessions.begin(entry.name, entry.roles, entry.sha256)

    def log_in_by_link(self, request: Request, secret: str) -> str:
        """Return a new cookie's value.

        Raises:
            Refusal: the link was used before, is too old, or was never made; or it is that of the start, and there are tokens.
        """
        if request.method != "GET":  # a look whether it is there would use it up
            raise Refusal("bad_request", f"{request.method} is not possible here", status=405, headers={"Allow": "GET"})
        was_asked_for = self.asked_link.fits(secret)
        fits = was_asked_for or (self.link.fits(secret) and self._is_nobody_let_in())
        self._hear(request, fits=fits)
        if not fits:
            raise Refusal("unauthorised", "this link was used before, or is an old one: `facestream tokens link` makes another")
        if was_asked_for:
            self.asked_link.spend()
        self.link.spend()
        self.log_out(request)
        return self._sessions.begin(OWNER, ROLES, "")[0]

    def log_out(self, request: Request) -> None:
        """End the session that the cookie names."""
        if secret := request.cookies.get(self._cookie):
            self._sessions.end(secret)

    def give_cookie(self, response: Response, secret: str) -> None:
        """Let the browser keep the session: no script sees it, and no other site makes it send it."""
        response.set_cookie(self._cookie, secret, path="/", httponly=True, samesite="strict", secure=self._secure)

    def take_cookie(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict", secure=self._secure)

    def still(self, request: Request, asker: Asker) -> bool:
        """Return whether an answer that goes on may go on: its asker was not revoked meanwhile, nor has logged out."""
        if asker.entry is not None:
            return asker.entry in self._entries()
        return self.session(request) is not None

    def _checked(self, request: Request, token: str) -> Entry:
        try:
            entry = self._tokens.who_has(token)
        except ConfigError as error:
            self._report.say("tokens", f"nobody is let in: {error}")
            entry = None
        address = self._hear(request, fits=entry is not None)
        if entry is None:
            self._report.say("wrong token", f"a wrong token was shown by {address}")
            raise Refusal(
                "unauthorised",
                "this token is not known, or was revoked: make one with `facestream tokens new NAME`",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return entry

    def _hear(self, request: Request, *, fits: bool) -> str:
        """Count what was shown, which fits or does not; return the address of who showed it.

        Raises:
            Refusal: too much was wrong that came from there.
        """
        address = request.client.host if request.client else "?"
        if (wait := self._attempts.wait_seconds(address, fits=fits)) > 0:
            raise Refusal(
                "unauthorised",
                "too many wrong tokens: wait a minute",
                status=429,
                headers={"Retry-After": str(int(wait) + 1)},
            )
        if fits:
            self._attempts.right(address)
        else:
            self._attempts.wrong(address)
        return address

    def _is_nobody_let_in(self) -> bool:
        try:
            return not self._tokens.entries()
        except ConfigError as error:
            self._report.say("tokens", f"nobody is let in: {error}")
            return False

    def _entries(self) -> tuple[Entry, ...]:
        try:
            return self._tokens.entries()
        except ConfigError as error:
            self._report.say("tokens", f"nobody is let in: {error}")
            return ()

    def _by_certificate(self, request: Request) -> Entry | None:
        name = request.scope.get(PEER_NAME, "")
        return next((entry for entry in self._entries() if name and entry.certificate and entry.name == name), None)


def _bearer(request: Request) -> str | None:
    value = request.headers.get("authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or len(request.headers.getlist("authorization")) > 1:
        raise Refusal("unauthorised", "send `Authorization: Bearer TOKEN`", headers={"WWW-Authenticate": "Bearer"})
    return token.strip()


def _check_page(request: Request, session: Session) -> None:
    """A cookie is sent by every page's request: what changes something has to prove that the page could read what is ours."""
    if request.method in SAFE:
        return
    check_origin(request)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), session.csrf.encode()):
        raise Refusal("forbidden", f"send {CSRF_HEADER} with the token that the session gave", CSRF_HEADER)
