"""Ed25519 keys that sign what a run has written: whoever has the public one can check who vouches for it.

A key is two PEM files, as OpenSSL reads them: ``NAME.pem`` (PKCS #8, for its owner alone) and ``NAME.pub``.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from engine.errors import ConfigError, MissingRuntimeError
from engine.private_file import others_may_read
from engine.whole_file import sync_directory

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LARGEST_BYTES = 64 * 1024


class SigningKey:
    """A key that signs; its secret is never shown."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()
        """The public half: 64 hexadecimal digits."""

    def sign(self, data: bytes) -> str:
        """Return the signature of some bytes: 128 hexadecimal digits."""
        return self._key.sign(data).hex()

    def __repr__(self) -> str:
        return f"SigningKey({self.public})"


def can_sign() -> bool:
    """Whether signatures can be made and checked here."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError:
        return False
    return True


def require_signing() -> None:
    """Check that the package for signatures is installed.

    Raises:
        MissingRuntimeError: it is not.
    """
    if not can_sign():
        raise MissingRuntimeError("signatures need the package cryptography: pip install 'facestream[exhibit]'")


def make_signing_key(path: Path) -> tuple[SigningKey, Path]:
    """Write a new key, and its public half beside it with the suffix ``.pub``; return both.

    Raises:
        ConfigError: one of the files exists, or cannot be written.
        MissingRuntimeError: see ``require_signing``.
    """
    require_signing()
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = path.with_suffix(".pub")
    for file in (path, public):
        if os.path.lexists(file):
            raise ConfigError(f"{file} exists: name another file, or move it away")
    if path == public:
        raise ConfigError(
            f"{path} is the name of a public key: give the secret one another name, such as {path.with_suffix('.pem')}"
        )
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    shown = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    written: list[Path] = []
    try:
        for file, text, mode in ((path, secret, 0o600), (public, shown, 0o644)):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            written.append(file)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
        sync_directory(path.absolute().parent)
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {error.strerror}; no key was made") from error
    return SigningKey(key), public


def signing_key(path: Path) -> SigningKey:
    """Return the key of a file of ``make_signing_key``, or of OpenSSL.

    Raises:
        ConfigError: it cannot be read, is no such key, or others may read it.
        MissingRuntimeError: see ``require_signing``.
    """
    require_signing()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    status, text = _read(path)
    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} is not a signing key without a password: {_how_to_begin()}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} is not an Ed25519 key: {_how_to_begin()}")
    if others_may_read(status):
        raise ConfigError(
            f"others may read the secret in {path}: run `chmod 600 {quote(str(path))}`, and make a new key if somebody has"
        )
    return SigningKey(key)


def public_key(path: Path) -> str:
    """Return the public key of a file, 64 hexadecimal digits.

    Raises:
        ConfigError: it cannot be read, or is no such key.
        MissingRuntimeError: see ``require_signing``.
    """
    require_signing()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path)[1])
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} is not a public key: give the .pub file beside the secret one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path} is not an Ed25519 key: {_how_to_begin()}")
    return key.public_bytes_raw().hex()


def is_signed_by(public: str, data: bytes, signature: str) -> bool:
    """Whether a signature of some bytes is of a key; False also where one of the two is malformed.

    Raises:
        MissingRuntimeError: see ``require_signing``.
    """
    require_signing()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(path: Path) -> tuple[os.stat_result, bytes]:
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()), file.read(_LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read the key {path}: {error.strerror}") from error


def _how_to_begin() -> str:
    return "make one with `facestream keys sign new FILE`"
