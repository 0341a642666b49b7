import json
import stat

import pytest

from engine.keys.files import ClientKey, read_key
from tests.cli.command import complains, here


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *arguments: here(capsys, *arguments)


def test_what_a_key_may_do_with_a_service_is_said_and_where(facestream, tmp_path):
    """Only what it may read was said, as if `--control` had done nothing."""
    made = facestream("keys", "new", "desk", "--control", "view", "operate")
    folder = tmp_path / "config" / "facestream" / "keys"
    assert f"it may view, operate at the `serve.control` of a service with `serve.keys: {folder}`" in " ".join(made.out.split())
    assert "serve.control" not in facestream("keys", "new", "kiosk").out


def test_a_client_is_made_listed_and_revoked(facestream, tmp_path):
    made = facestream("keys", "new", "door-pc", "--topics", "v1/face/door/", "v1/end/")
    key = read_key(tmp_path / "door-pc.key", ClientKey)
    assert made.code == 0
    assert "wrote door-pc.key, the only copy of door-pc's secret; it may read v1/face/door/, v1/end/" in made.out
    assert key.secret not in made.out + made.err
    assert stat.S_IMODE((tmp_path / "door-pc.key").stat().st_mode) == 0o600
    listed = facestream("keys", "list")
    assert "door-pc" in listed.out
    assert "v1/face/door/" in listed.out
    assert f"1 client in {tmp_path}/config/facestream/keys" in listed.out
    entry = json.loads(facestream("keys", "list", "--json").out)
    assert (entry["name"], entry["topics"], entry["public"]) == ("door-pc", ["v1/face/door/", "v1/end/"], key.public)
    assert "revoked door-pc" in facestream("keys", "revoke", "door-pc").out
    assert "0 clients" in facestream("keys", "list").out
    complains(facestream("keys", "revoke", "door-pc"), 2, "there is no client door-pc")


def test_json_never_shows_a_secret_and_out_can_be_printed(facestream, tmp_path):
    told = facestream("keys", "new", "a", "--json", "--folder", tmp_path / "k", "--out", tmp_path / "a.file")
    assert json.loads(told.out)["file"] == str(tmp_path / "a.file")
    assert read_key(tmp_path / "a.file", ClientKey).secret not in told.out
    printed = facestream("keys", "new", "b", "--folder", tmp_path / "k", "--print")
    assert json.loads(printed.out)["name"] == "b"
    complains(facestream("keys", "new", "c", "--json", "--print"), 2, "--json never shows a secret")
    complains(facestream("keys", "new", "c", "--print", "--out", "c.key"), 2, "--print and --out")


def test_what_is_to_be_run_next_can_be_pasted(facestream, tmp_path):
    told = facestream("keys", "new", "a", "--folder", tmp_path / "my keys", "--out", "a wall.key").out
    assert f"`--keys '{tmp_path}/my keys'`" in told
    assert "`--key 'a wall.key'`" in told
    complains(facestream("keys", "list", "--folder", tmp_path / "no keys"), 2, f"--folder '{tmp_path}/no keys'`")


def test_a_file_that_is_there_stays_and_no_key_is_made(facestream, tmp_path):
    (tmp_path / "a.key").write_text("mine")
    complains(facestream("keys", "new", "a"), 2, "a.key exists: name another file with --out")
    complains(facestream("keys", "new", "a", "--out", "missing/a.key"), 2, "cannot write missing/a.key", "no key was made")
    assert "0 clients" in facestream("keys", "list").out
    assert (tmp_path / "a.key").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("keys", "new", "../a"), "is not a name for a client"),
        (("keys", "new", "a", "--topics", "v1/face/door"), "each with its last /"),
        (("keys", "list"), "there are no keys in"),
        (("keys", "revoke", "a"), "there is no client a"),
        (("watch", "tcp://127.0.0.1:9", "--key", "none.key"), "cannot read none.key, a client's key: No such file"),
    ],
)
def test_what_is_wrong_is_one_sentence(facestream, arguments, says):
    complains(facestream(*arguments), 2, says)


@pytest.mark.parametrize("command", ["new", "list", "revoke"])
def test_each_command_has_an_example(facestream, command):
    assert f"facestream keys {command}" in facestream("keys", command, "--help").out.split("For example:")[1]


def test_a_run_in_the_clear_beyond_this_machine_is_refused_before_anything_starts(facestream, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    run = ("run", "--source", tmp_path / "clip.mp4", "--publish", "tcp://0.0.0.0:5556", "--quiet")
    complains(facestream(*run), 2, "beyond this machine", "facestream keys new NAME", "--insecure")
    complains(facestream(*run, "--keys", tmp_path / "k"), 2, "there are no keys in", "facestream keys new NAME")


def test_check_says_the_same(facestream, tmp_path):
    config = tmp_path / "open.yaml"
    config.write_text("publish:\n  endpoint: tcp://*:5556\n")
    complains(facestream("check", config), 2, "beyond this machine")
    config.write_text("publish:\n  endpoint: tcp://*:5556\n  insecure: true\n")
    assert "warning: INSECURE: publish.endpoint tcp://*:5556" in facestream("check", config).out
