import stat

import pytest

from engine.config import PublishConfig
from engine.errors import ConfigError
from engine.keys.folder import KeyFolder
from engine.publish.exposure import check_exposure
from engine.publish.publisher import Publisher
from tests.publish.samples import context

OPEN = ["tcp://*:5556", "tcp://0.0.0.0:5556", "tcp://[::]:5556", "tcp://192.0.2.1:5556", "tcp://eth0:5556", "tcp://host:5556"]


@pytest.mark.parametrize("endpoint", OPEN)
@pytest.mark.parametrize("field", ["endpoint", "replay"])
def test_in_the_clear_beyond_this_machine_is_refused_and_says_what_to_run(endpoint, field):
    config = PublishConfig(**({"endpoint": "tcp://127.0.0.1:5556"} | {field: endpoint}))
    with pytest.raises(
        ConfigError, match=r"`facestream keys new NAME` .* publish\.keys: .*--keys .*publish\.insecure: true .*--insecure"
    ) as error:
        check_exposure(config)
    assert f"publish.{field} {endpoint}" in str(error.value)
    assert error.value.exit_code == 2


def test_whoever_makes_a_publisher_is_refused_too():
    with context() as opened, pytest.raises(ConfigError, match="beyond this machine"):
        Publisher(PublishConfig(endpoint="tcp://*:0"), "run1", opened)


def test_insecure_is_said_and_this_machine_is_not(tmp_path):
    said = check_exposure(PublishConfig(endpoint="tcp://*:5556", insecure=True))
    assert said.startswith("INSECURE: publish.endpoint tcp://*:5556: beyond this machine without keys")
    assert check_exposure(PublishConfig(endpoint="tcp://127.0.0.1:5556", insecure=True)) == ""
    assert check_exposure(PublishConfig()) == ""


def test_with_keys_any_address_may_be_used_and_the_keys_must_be_there(tmp_path):
    config = PublishConfig(endpoint="tcp://*:5556", keys=str(tmp_path / "keys"))
    with pytest.raises(ConfigError, match="there are no keys in"):
        check_exposure(config)
    KeyFolder(tmp_path / "keys").add("kiosk")
    assert check_exposure(config) == ""


def test_push_refuses_rights_that_it_cannot_enforce(tmp_path):
    KeyFolder(tmp_path / "keys").add("door", ["v1/face/door/"])
    config = PublishConfig(endpoint="tcp://127.0.0.1:*", socket="push", keys=str(tmp_path / "keys"))
    with pytest.raises(ConfigError, match=r"door may read some topics only, which publish.socket: push cannot enforce"):
        check_exposure(config)


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o710, 0o1777])
def test_an_ipc_folder_that_others_may_use_is_refused_as_it_is(tmp_path, mode):
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)
    endpoint = f"ipc://{folder}/faces"
    with context() as opened:
        with pytest.raises(
            ConfigError,
            match=rf"others may use the folder {folder} of .*: run `chmod 700 {folder}`.*publish\.keys: .*insecure: true",
        ):
            Publisher(PublishConfig(endpoint=endpoint), "run1", opened)
        assert stat.S_IMODE(folder.stat().st_mode) == mode
        assert not (folder / "faces").exists()
        for accepted in ({"insecure": True}, {"endpoint": f"ipc://{folder}/own/faces"}):
            Publisher(PublishConfig(**({"endpoint": endpoint} | accepted)), "run1", opened).close()
        assert stat.S_IMODE((folder / "own").stat().st_mode) == 0o700


def test_no_sentence_of_the_door_holds_a_secret(tmp_path):
    """A folder that is half there fails with a sentence, not with what is in its files."""
    folder = KeyFolder(tmp_path / "keys")
    folder.add("kiosk")
    secret = folder.server().secret
    (tmp_path / "keys" / "clients" / "kiosk.json").write_text(f'{{"facestream": "client", "secret": "{secret}"}}')
    with pytest.raises(ConfigError) as error:
        check_exposure(PublishConfig(endpoint="tcp://127.0.0.1:*", keys=str(tmp_path / "keys")))
    assert secret not in str(error.value)


@pytest.mark.parametrize("field", ["endpoint", "replay"])
@pytest.mark.parametrize("endpoint", ["127.0.0.1:5557", "5557", "localhost:5557", "/run/faces", "http://127.0.0.1:5557"])
def test_what_is_no_endpoint_says_how_one_begins(endpoint, field):
    """It used to ask for keys."""
    config = PublishConfig(**({"endpoint": "tcp://127.0.0.1:5556"} | {field: endpoint}))
    with pytest.raises(ConfigError, match=rf"publish\.{field}: .* is not a ZeroMQ endpoint: use tcp://.*ipc://"):
        check_exposure(config)
