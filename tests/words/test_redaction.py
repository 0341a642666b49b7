from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.words.redaction import names_secret, redact, redact_tree, redact_url

# Anything that may stand in a password and was not escaped, but white space.
secrets = st.text(st.characters(min_codepoint=33, exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=4, max_size=30)
spaced = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4, max_size=30)
schemes = st.sampled_from(["rtsp", "rtsps", "http", "rtmp"])
URLS = (
    "{scheme}://admin:{secret}@10.0.0.5:554/ch1?x=1",
    "{scheme}://{secret}:pw@10.0.0.5/ch1",
    "{scheme}://{secret}@10.0.0.5",
    "{scheme}://10.0.0.5/ch1?user=admin&password={secret}",
    "{scheme}://10.0.0.5:554?token={secret}&channel=1",
    "{scheme}://10.0.0.5/user=admin&password={secret}&channel=1",
    "{scheme}://10.0.0.5/user=admin_password={secret}_channel=1.sdp",
    "{scheme}://10.0.0.5/user%3Dadmin%26password%3D{secret}",
    "{scheme}://10.0.0.5/ch1%3fuser=admin&password={secret}",
    "{scheme}://a:b@10.0.0.5/ch1?pw={secret}#x",
)
TEXTS = (
    "{url}",
    "cannot open {url}: Connection refused",
    "[Errno 1] failed: '{url}'",
    'see "{url}", ({url})',
    "--source={url}\n",
)


@given(st.sampled_from(URLS), schemes, secrets)
@example(URLS[0], "rtsp", "se/cret")
@example(URLS[0], "rtsp", "12/34?#")
@example(URLS[0], "rtsp", "sec@re/t")
@example(URLS[0], "rtsp", "http://x")
@example(URLS[3], "rtsp", "se@cret")
def test_no_secret_survives_in_a_url(pattern, scheme, secret):
    assume(secret not in pattern and secret not in "rtsps://***")
    shown = redact_url(pattern.format(scheme=scheme, secret=secret))
    assert secret not in shown
    assert "admin" not in shown
    assert shown.startswith(f"{scheme}://")
    assert redact_url(shown) == shown


@given(st.sampled_from(TEXTS), st.sampled_from(URLS), schemes, secrets)
@example(TEXTS[2], URLS[0], "rtsp", "it's'@'")
@example(TEXTS[2], URLS[3], "rtsp", "''''")
def test_no_secret_survives_in_a_text(text, pattern, scheme, secret):
    whole = text.format(url=pattern.format(scheme=scheme, secret=secret))
    assume(secret not in text and secret not in pattern and secret not in "rtsps://***")
    shown = redact(whole)
    assert secret not in shown
    assert redact(shown) == shown


@given(spaced.filter(lambda secret: not secret[0].isdigit() and secret.strip() == secret and not set("/?#@") & set(secret)))
@example("my secret word")
def test_a_password_with_spaces_does_not_survive_in_a_text_either(secret):
    assume(secret not in "cannot open rtsp://***admin10.0.0.5/x: timed out")
    shown = redact(f"cannot open rtsp://admin:{secret}@10.0.0.5/x: timed out")
    assert secret not in shown
    assert all(word not in shown for word in secret.split() if len(word) > 3 and word not in "cannot open timed out")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.5:554/ch1?pw=secret", "rtsp://10.0.0.5:554/ch1?***"),
        ("rtsp://10.0.0.5/user=admin&password=secret", "rtsp://10.0.0.5/user=***"),
        ("rtsp://admin:se/cret@10.0.0.5/", "rtsp://***"),
        ("rtsp://admin:sec@ret@10.0.0.5/", "rtsp://10.0.0.5/"),
        ("rtsp://admin:secret", "rtsp://***"),
        ("rtsp://u:p@[fe80::1%eth0]:8554/x#y", "rtsp://[fe80::1%eth0]:8554/x#***"),
        ("http://camera.local", "http://camera.local"),
        ("s3://footage/day=1/a.mp4", "s3://footage/day=1/a.mp4"),
        ("s3://me:secret@footage/day=1/a.mp4", "s3://footage/day=1/a.mp4"),
        ("s3://me:se/cret@footage/day=1", "s3://***"),
        ("s3://footage/a.mp4?X-Amz-Signature=secret", "s3://footage/a.mp4?***"),
        ("tcp://*:5556", "tcp://*:5556"),
        ("ipc:///run/facestream/faces", "ipc:///run/facestream/faces"),
        ("kafka+ssl://me:secret@a:9093,b:9093", "kafka+ssl://a:9093,b:9093"),
        ("kafka://a:9092,me:secret", "kafka://***"),
        ("admin:secret@10.0.0.5", "***"),
    ],
)
def test_what_is_shown_of_a_url(url, shown):
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'rtsp://u:p@h/x': Connection refused", "'rtsp://h/x': Connection refused"),
        ("see rtsp://h/x, http://g/y?z=1.", "see rtsp://h/x, http://g/y?***."),
        ("sent /cam?user=bob&password=x to it", "sent /cam?user=*** to it"),
        ("api_key=abc TOKEN=def", "api_key=*** TOKEN=***"),
        ("port 5556 is busy: tcp://127.0.0.1:5556", "port 5556 is busy: tcp://127.0.0.1:5556"),
        ("give at least one --set KEY=VALUE", "give at least one --set KEY=VALUE"),
        ("(`set SECTION.KEY=VALUE`), or KEY=VALUE.", "(`set SECTION.KEY=VALUE`), or KEY=VALUE."),
        ("key=VALUE KEY=value KEY=VALUE2 KEY=VALUE.x MYKEY=VALUE password=VALUE",
         "key=*** KEY=*** KEY=*** KEY=*** MYKEY=*** password=***"),
        ("use tcp://ADDRESS:PORT, as tcp://127.0.0.1:5556, or ipc:///PATH",
         "use tcp://ADDRESS:PORT, as tcp://127.0.0.1:5556, or ipc:///PATH"),
        ("rtsp://HOST:PORT/ch1?pw=x", "rtsp://HOST:PORT/ch1?***"),
        ("rtsp://HOST:PORTs rtsp://user:PORT rtsp://HOST:word", "rtsp://*** rtsp://*** rtsp://***"),
        ("rtsp://HOST:PORT@10.0.0.5", "rtsp://10.0.0.5"),
        ("write postgresql://USER@HOST/NAME.", "write postgresql://USER@HOST/NAME."),
        ("postgresql://USER:pw@HOST/NAME postgresql://USER@HOST2/NAME", "postgresql://HOST/NAME postgresql://HOST2/NAME"),
        ("rtsp://USER@HOST?a rtsp://USER@HOST@db rtsp://pw/USER@HOST", "rtsp://USER@HOST?*** rtsp://db rtsp://***"),
        ("a monkey ate 3 = three, cam1@home", "a monkey ate 3 = three, cam1@home"),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_text(text, shown):
    assert redact(text) == shown


@given(st.sampled_from(["KEY", "SECTION.KEY", "key", "password", "TOKEN", "MYKEY"]), secrets, st.sampled_from(["", ".", "`)"]))
@example("KEY", "VALUE1", "")
@example("KEY", "VALUE.secret", "")
@example("KEY", "VALUE`secret", ".")
def test_no_secret_survives_where_a_placeholder_may_stand(name, secret, after):
    assume(secret.rstrip("]'`\")>,.:;") != "VALUE" and secret not in f"give one --set {name}=***{after}")
    shown = redact(f"give one --set {name}={secret}{after} or KEY=VALUE, as tcp://HOST:PORT")
    assert secret not in shown.removesuffix(" or KEY=VALUE, as tcp://HOST:PORT")
    assert shown.endswith(" or KEY=VALUE, as tcp://HOST:PORT")
    assert redact(shown) == shown


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
trees = st.recursive(leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("abcxyz", max_size=4), below))


@given(trees, secrets, st.sampled_from(URLS))
def test_a_tree_keeps_its_shape_and_loses_its_secrets(tree, secret, pattern):
    assume(secret not in pattern and secret not in "sourcesrtspurirtsp_passwordoptionsheaders***" and secret not in str(tree))
    url = pattern.format(scheme="rtsp", secret=secret)
    whole = {"sources": [{"uri": url, "options": {"rtsp_password": secret, "headers": secret}}], "rest": tree, "argv": (url, 1)}
    shown = redact_tree(whole)
    assert secret not in "".join(
        map(str, [shown["sources"][0]["uri"], *shown["sources"][0]["options"].values(), *shown["argv"]])
    )
    assert shown["rest"] == tree
    assert [len(shown["sources"]), shown["argv"][1]] == [1, 1]
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown


@pytest.mark.parametrize(
    "said",
    [
        "as ``tcp://127.0.0.1:5556`` or ``ipc:///run/x``; empty: none",
        "use `tcp://127.0.0.1:5556`.",
        "as ``tcp://0.0.0.0:5558``, for holders of keys",
        "bind tcp://127.0.0.1:* or tcp://*:5556",
        "(`http://127.0.0.1:4318/v1/traces`)",
    ],
)
def test_what_we_say_ourselves_as_an_example_stays_readable(said):
    """Help and error sentences redacted their own examples, as tcp://***."""
    assert redact(said) == said


@pytest.mark.parametrize(
    "address",
    [
        "/user=ada_password=x_channel=1", "/user%3Dada%26password%3Dx", "/v.cgi?loginuse=ada&loginpas=x", "/v?usr=a&userpwd=b",
        "/v;psw=x", "/v?streamkey=x", "/v?accessToken=x", "/v?auth=x", "/v?USER=ada",
    ],
)  # fmt: skip
def test_names_that_cameras_have_for_a_secret(address: str) -> None:
    assert names_secret(f"rtsp://192.0.2.10{address}")


@pytest.mark.parametrize(
    "address",
    [
        "/cam/realmonitor?channel=1&subtype=0", "/Streaming/channels/101?profile=Profile_1", "/tcp/av0_0", "/v?keyframe=1",
        "/password/1", "/ch=1_stream=0.sdp?real_stream",
    ],
)  # fmt: skip
def test_addresses_without_a_secret(address: str) -> None:
    assert not names_secret(f"rtsp://192.0.2.10{address}")
