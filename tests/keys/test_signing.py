"""Keys that sign are files that nobody else may read, and are told from all others."""

import os
import stat

import pytest

from engine.errors import ConfigError
from engine.keys.signing import is_signed_by, make_signing_key, public_key, signing_key

pytest.importorskip("cryptography")


def test_a_key_is_two_files_and_the_secret_one_is_its_owners(tmp_path):
    made, public = make_signing_key(tmp_path / "desk.pem")
    assert stat.S_IMODE((tmp_path / "desk.pem").stat().st_mode) == 0o600
    assert (public, public_key(public)) == (tmp_path / "desk.pub", made.public)
    signed = signing_key(tmp_path / "desk.pem").sign(b"text")
    assert is_signed_by(made.public, b"text", signed)
    assert not is_signed_by(made.public, b"Text", signed)
    assert not is_signed_by("00", b"text", "zz")
    assert made.public in repr(made)


def test_no_key_is_replaced(tmp_path):
    make_signing_key(tmp_path / "desk.pem")
    (tmp_path / "desk.pem").unlink()
    with pytest.raises(ConfigError, match=r"desk\.pub exists: name another file"):
        make_signing_key(tmp_path / "desk.pem")
    with pytest.raises(ConfigError, match="is the name of a public key"):
        make_signing_key(tmp_path / "new.pub")
    with pytest.raises(ConfigError, match="cannot write"):
        make_signing_key(tmp_path / "none" / "desk.pem")


def test_what_is_no_key_is_refused_in_one_sentence(tmp_path):
    make_signing_key(tmp_path / "desk.pem")
    os.chmod(tmp_path / "desk.pem", 0o644)
    with pytest.raises(ConfigError, match="others may read the secret"):
        signing_key(tmp_path / "desk.pem")
    for name, text in (("empty", ""), ("text", "hello"), ("public", (tmp_path / "desk.pub").read_text())):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigError, match="is not a signing key"):
            signing_key(tmp_path / name)
    with pytest.raises(ConfigError, match="is not a public key"):
        public_key(tmp_path / "desk.pem")
    with pytest.raises(ConfigError, match="cannot read the key"):
        signing_key(tmp_path / "nowhere")


def test_a_key_of_another_kind_is_refused(tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (tmp_path / "ec.pem").write_bytes(pem)
    with pytest.raises(ConfigError, match="is not an Ed25519 key"):
        signing_key(tmp_path / "ec.pem")
    shown = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "ec.pub").write_bytes(shown)
    with pytest.raises(ConfigError, match="is not an Ed25519 key"):
        public_key(tmp_path / "ec.pub")
