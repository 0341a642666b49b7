"""Keys and certificates that a test makes for itself."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Files:
    key: Path
    certificate: Path
    """The signer's and its issuer's."""
    root: Path
    """The issuer's alone."""


def made(folder: Path, key=None, usage=ExtendedKeyUsageOID.EMAIL_PROTECTION, days=(-1, 30)) -> Files:
    """Write a key with a certificate that a root of ours has issued.

    Args:
        folder: an empty one.
        key: by default a new one of P-256.
        usage: what the certificate is for.
        days: from when and until when it is valid, from today.
    """
    issuer, key = ec.generate_private_key(ec.SECP256R1()), key or ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Root", issuer.public_key(), issuer, None, (-10, 100))
    leaf = _certificate("Examiner", key.public_key(), issuer, usage, days)
    files = Files(folder / "lab.key", folder / "lab.pem", folder / "root.pem")
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files.certificate.write_bytes(_pem(leaf) + _pem(root))
    files.root.write_bytes(_pem(root))
    return files


def _certificate(name, public, issuer, usage, days):
    now = datetime.datetime.now(datetime.UTC)
    is_root = usage is None
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Root"))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
        .add_extension(x509.BasicConstraints(is_root, None), True)
        .add_extension(x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False), True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )
    return (built if is_root else built.add_extension(x509.ExtendedKeyUsage([usage]), False)).sign(issuer, hashes.SHA256())


def _name(name):
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Laboratory"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
