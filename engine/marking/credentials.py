"""The key and the certificates with which pictures are signed."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import FacestreamError, MissingRuntimeError, UsageError

_EXTRA = "pip install 'facestream[exhibit]'"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A private key, and the certificate of its public key with those that vouch for it."""

    algorithm: str
    """C2PA's name: ``es256``, ``ed25519``, ``ps256`` and so on."""
    key: bytes
    """PEM (PKCS 8), not encrypted."""
    certificates: bytes
    """PEM, the signer's first."""
    where: str
    """The certificate's file, for messages."""

    def signer(self, c2pa: Any) -> Any:
        """Return the library's signer; close it. Time is the machine's own: no time stamp is fetched."""
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(self.algorithm.encode(), self.certificates, self.key, None))

    def refusal(self, reason: str) -> FacestreamError | None:
        """Return the complaint about the certificate that a failure of the library is, None where it is about the picture."""
        if not reason.startswith("Signature"):
            return None
        return UsageError(
            f"{self.where} cannot sign after C2PA: it must be an end entity's certificate for emailProtection or "
            f"documentSigning, issued by another one, with the issuer's key id ({reason})"
        )


def load_credentials(key: Path, certificate: Path) -> Credentials:
    """Read a private key and its certificates.

    Args:
        key: PEM file, not encrypted: of an elliptic curve (P-256, P-384, P-521), Ed25519 or RSA.
        certificate: PEM file, the signer's certificate first, then that of its issuer and so on.

    Raises:
        UsageError: a file cannot be read, the two do not belong together, or the certificate is not valid today.
        MissingRuntimeError: ``cryptography`` is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import types
    except ImportError as error:
        raise MissingRuntimeError(f"cryptography is not installed: {_EXTRA} ({error})") from error
    key_bytes, certificate_bytes = _content(key), _content(certificate)
    try:
        private: types.PrivateKeyTypes = serialization.load_pem_private_key(key_bytes, None)
    except TypeError as error:
        raise UsageError(f"the key {key} is encrypted: decrypt it first, as with `openssl pkey -in {key} -out FILE`") from error
    except ValueError as error:
        raise UsageError(f"{key} is not a private key in PEM: begin it with -----BEGIN PRIVATE KEY-----") from error
    try:
        first = x509.load_pem_x509_certificates(certificate_bytes)[0]
    except ValueError as error:
        raise UsageError(f"{certificate} holds no certificate in PEM: begin it with -----BEGIN CERTIFICATE-----") from error
    shape = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if first.public_key().public_bytes(*shape) != private.public_key().public_bytes(*shape):
        raise UsageError(
            f"the first certificate of {certificate} is not that of the key {key}: put the signer's certificate first"
        )
    now = datetime.datetime.now(datetime.UTC)
    if not first.not_valid_before_utc <= now <= first.not_valid_after_utc:
        until = f"{first.not_valid_before_utc:%Y-%m-%d} to {first.not_valid_after_utc:%Y-%m-%d}"
        raise UsageError(f"the certificate {certificate} is valid from {until}, not today: get a new one")
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Credentials(_algorithm(private, key), private.private_bytes(*pem), certificate_bytes, str(certificate))


def _algorithm(private: Any, key: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= 2048:
        return "ps256"
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in curves:
        return curves[private.curve.name]
    raise UsageError(
        f"the key {key} is of a kind that C2PA does not know: use P-256, P-384, P-521, Ed25519 or RSA from 2048 bits"
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
