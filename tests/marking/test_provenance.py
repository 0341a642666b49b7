"""C2PA: what is signed is true, and what was changed afterwards is found."""

from __future__ import annotations

import sys

import cv2
import pytest

pytest.importorskip("c2pa")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from engine.errors import MissingRuntimeError, PictureError, UsageError
from engine.marking import declare, load_credentials, marks_of, provenance_of, put_mark, sign_picture
from tests.marking.certificates import made
from tests.marking.test_imperceptible import enhanced

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def file(ending=".jpg", picture=None):
    return cv2.imencode(ending, put_mark(enhanced()) if picture is None else picture)[1].tobytes()


def original():
    return file(picture=cv2.resize(enhanced(), (16, 16)))


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("kind", [ed25519.Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP384R1())])
def test_what_is_signed_is_read_and_trusted_only_by_those_who_trust_the_issuer(tmp_path, ending, kind):
    files = made(tmp_path, kind())
    source = declare(file(ending), "compact_x4")
    signed = sign_picture(source, load_credentials(files.key, files.certificate), original=original(), title="7")
    assert len(signed) < len(source) + 20_000, "no thumbnail"
    found = provenance_of(signed)
    assert (found.state, found.problems, found.signer) == ("valid", [], "Laboratory, Examiner")
    assert (found.source_type, found.actions, found.ingredients) == (COMPOSITE, ["c2pa.opened", "c2pa.edited"], ["original"])
    assert found.made_by.startswith("facestream ")
    assert provenance_of(signed, files.root.read_text()).state == "trusted"
    other = tmp_path / "other"
    other.mkdir()
    assert provenance_of(signed, made(other).root.read_text()).state == "valid"
    marks = marks_of(signed, enhanced())
    assert (marks.found, marks.declared.system.split()[:2]) == (2, ["facestream", "compact_x4"])


def test_a_change_of_one_bit_is_found(tmp_path):
    files = made(tmp_path)
    signed = bytearray(sign_picture(file(), load_credentials(files.key, files.certificate), model="m"))
    signed[-30] ^= 1
    found = provenance_of(bytes(signed), files.root.read_text())
    assert found.state == "invalid"
    assert found.problems


def test_only_what_is_true_is_signed(tmp_path):
    files = made(tmp_path)
    credentials = load_credentials(files.key, files.certificate)
    with pytest.raises(PictureError, match="no mark says that this picture was enhanced"):
        sign_picture(file(picture=enhanced()), credentials)
    assert provenance_of(sign_picture(file(), credentials)).source_type == COMPOSITE, "the mark in its pixels says it"
    assert provenance_of(file()) is None
    for damaged in (file()[:40], b"", b"GIF89a"):
        with pytest.raises(PictureError):
            sign_picture(damaged, credentials, model="m")


def encrypted(files):
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))


def of_another(files):
    files.key.write_bytes(made(files.key.parent / "other").key.read_bytes())


@pytest.mark.parametrize(
    ("options", "spoil", "says"),
    [
        ({"days": (-9, -2)}, None, "not today"),
        ({"key": ec.generate_private_key(ec.SECP256K1())}, None, "of a kind that C2PA does not know"),
        ({"key": rsa.generate_private_key(65537, 1024)}, None, "RSA from 2048 bits"),
        ({}, encrypted, "is encrypted: decrypt it first"),
        ({}, of_another, "is not that of the key"),
        ({}, lambda files: files.key.write_text("no key"), "is not a private key in PEM"),
        ({}, lambda files: files.certificate.write_text("none"), "holds no certificate in PEM"),
        ({}, lambda files: files.key.unlink(), "cannot read"),
    ],
)
def test_a_key_that_cannot_sign_is_one_sentence(tmp_path, options, spoil, says):
    (tmp_path / "other").mkdir()
    files = made(tmp_path, **options)
    if spoil is not None:
        spoil(files)
    with pytest.raises(UsageError, match=says):
        load_credentials(files.key, files.certificate)


def test_a_certificate_for_something_else_is_refused_when_it_signs(tmp_path):
    files = made(tmp_path, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(UsageError, match=r"lab\.pem cannot sign after C2PA"):
        sign_picture(file(), load_credentials(files.key, files.certificate), model="m")


def test_a_key_as_openssl_writes_it_will_do(tmp_path):
    files = made(tmp_path)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    old = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *old))
    signed = sign_picture(file(), load_credentials(files.key, files.certificate), model="m")
    assert provenance_of(signed).state == "valid"


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    files = made(tmp_path)
    credentials = load_credentials(files.key, files.certificate)
    signed = sign_picture(file(), credentials, model="m")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[exhibit\]'"):
        sign_picture(file(), credentials, model="m")
    assert provenance_of(signed).state == "unread"
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[exhibit\]'"):
        load_credentials(files.key, files.certificate)
