"""A day with the console, in a real browser: a camera comes, a face arrives, gets a name, and a wrong one is corrected."""

from __future__ import annotations

import pytest

from engine.contracts.findings import Candidate
from tests.web.console import fake_pictures

pytestmark = pytest.mark.e2e
ANNA = [Candidate("Anna", 0.94, 0.95, false_name_chance=0.0002), Candidate("Omar", 0.7, 0.7, false_name_chance=0.2)]


def photo(name: str = "anna.jpg", who: int = 0, side_px: int = 72) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": fake_pictures.enhanced(who, side_px)}


def test_a_camera_is_looked_at_and_added_and_a_face_gets_a_name(page, server):
    service = server.service
    page.get_by_role("button", name="Add a stream").first.click()
    page.get_by_label("Address", exact=True).fill("rtsp://192.0.2.10/main")
    page.get_by_label("Name", exact=True).fill("entrance")
    page.get_by_label("User").fill("me")
    page.get_by_label("Password").fill("p@ss/word")
    page.get_by_role("button", name="Look first").click()
    page.get_by_text("large enough to recognise").wait_for()
    assert page.locator(".probe canvas").evaluate("node => node.width > 100 && node.height > 60")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("dialog").wait_for(state="detached")
    assert service.streams["entrance"].source.uri == "rtsp://me:p%40ss%2Fword@192.0.2.10/main"

    service.tick()
    tile = page.locator('.tile[data-name="entrance"]')
    tile.get_by_text("connecting").first.wait_for()
    assert 40 < tile.locator(".badge").bounding_box()["width"] < 140
    assert tile.locator(".title").inner_text() == "entrance"
    service.change("entrance", state="live")
    service.tick()
    page.locator('.tile[data-state="live"]').wait_for()

    face = service.face("entrance", 1)
    page.get_by_text("Only 1 face so far: a decision needs 2.").wait_for()
    assert page.locator(".face .enhanced .mark").inner_text() == "AI-enhanced: not for identification"
    page.get_by_role("button", name="Give a name").click()
    page.get_by_label("Name", exact=True).fill("Anna")
    page.get_by_role("button", name="Enrol", exact=True).click()
    page.locator("dialog .badge", has_text="enrolled").or_(page.locator("dialog .badge", has_text="refused")).wait_for()
    page.locator("dialog input[type=file]").set_input_files([photo()])
    page.get_by_role("button", name="Enrol", exact=True).click()
    page.get_by_text("1 picture of").wait_for()
    page.keyboard.press("Escape")
    assert service.people["Anna"].pictures >= 1

    service.track(face, "known", ANNA, made_of=5)
    page.locator(".face.known h3", has_text="Anna").wait_for()
    page.locator(".face .enhanced figcaption", has_text="made from 5 frames").wait_for()
    assert page.locator(".face .enhanced .mark").all_inner_texts() == ["AI-enhanced: not for identification"]
    page.get_by_text("Looks so much like Anna that hardly any stranger would").wait_for()


def test_a_wrong_name_is_marked(page, server):
    service = server.service
    service.enrol("Anna", "a.jpg", fake_pictures.enhanced(0, 72))
    service.track(service.face("entrance", 7), "known", ANNA)
    page.get_by_role("button", name="This is not Anna").click()
    page.locator("dialog").get_by_role("button", name="Cancel").click()
    assert service.wrong == []
    page.get_by_role("button", name="This is not Anna").click()
    page.locator("dialog").get_by_role("button", name="This is not Anna").click()
    page.get_by_text("Noted: this is not Anna.").wait_for()
    assert service.wrong == [("entrance", 7, "Anna")]


def test_a_camera_is_lost_and_comes_back(page, server):
    service = server.service
    service.add_stream("gate")
    service.tick()
    tile = page.locator('.tile[data-name="gate"]')
    tile.wait_for()
    service.change("gate", state="stalled", reason="timeout", seconds_in_state=42.0)
    service.tick()
    tile.get_by_text("The camera does not answer. This has lasted 42 seconds.").wait_for()
    page.get_by_text("1 in trouble").wait_for()
    page.wait_for_function("() => document.getElementById('announce').textContent === 'gate has stopped sending pictures.'")
    service.change("gate", state="live", reason="")
    service.tick()
    page.locator('.tile[data-state="live"]').wait_for()
    page.get_by_text("All well").wait_for()


def test_a_stream_is_paused_changed_and_removed(page, server):
    service = server.service
    service.add_stream("gate")
    service.tick()
    with page.expect_response("**/streams/gate/pause"):
        page.get_by_role("button", name="Pause gate").click()
    service.tick()
    page.get_by_role("button", name="Resume gate").wait_for()
    assert service.streams["gate"].paused
    page.get_by_role("button", name="Change gate").click()
    page.get_by_label("Detections per second").fill("5")
    page.get_by_role("button", name="Save").click()
    page.locator("dialog").wait_for(state="detached")
    assert service.streams["gate"].source.detect_fps == 5
    page.get_by_role("button", name="Remove gate").click()
    page.locator("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("gate was removed.").wait_for()
    service.tick()
    page.get_by_text("No stream yet").wait_for()
    assert service.streams == {}


def test_a_stream_without_a_picture_says_so(page, server):
    """It was a dark place, whether a picture was about to come or never would."""
    server.service.add_stream("gate")
    server.service.tick()
    tile = page.locator('.tile[data-name="gate"]')
    tile.get_by_text("no picture yet").wait_for()
    for _ in range(600):  # until the page has asked for this stream's previews
        server.service.preview("gate")
        page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
        if not tile.locator(".veil").inner_text():
            break
    assert tile.locator(".veil").inner_text() == ""
    server.service.change("gate", state="stalled", reason="timeout")
    server.service.tick()
    tile.locator(".veil", has_text="no pictures").wait_for()


def test_boxes_are_drawn_where_the_faces_are(page, server):
    server.service.add_stream("gate")
    server.service.tick()
    page.locator('.tile[data-name="gate"]').wait_for()
    green = """() => {
        const canvas = document.querySelector('.tile canvas');
        if (!canvas.width) return false;
        const x = Math.round(240 / 1920 * canvas.width), y = Math.round(420 / 1080 * canvas.height);
        const probe = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
        probe.drawImage(canvas, -x, -y);
        const [red, greenish, blue] = probe.getImageData(0, 0, 1, 1).data;
        return greenish > red + 60 && greenish > blue + 40;
    }"""
    for _ in range(600):  # until the page has asked for this stream's previews, and drawn one
        server.service.preview("gate", ((0, 3, "Anna"),))
        page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
        if page.evaluate(green):
            break
    assert page.evaluate(green)
    assert page.locator(".tile canvas").get_attribute("aria-label") == "Last picture of gate: 1 face, Anna"


def test_the_session_ends_and_begins_again(open_page, server):
    page = open_page(token="")
    page.get_by_label("Token", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("This token is not known.").wait_for()
    page.evaluate("document.querySelector('.toast').dataset.before = ''")
    page.keyboard.press("Enter")
    page.locator(".toast:not([data-before])").wait_for()
    assert page.locator(".toast").count() == 1, "that of the try before is gone"
    page.get_by_label("Token", exact=True).fill("all")
    page.keyboard.press("Enter")
    page.get_by_text("No stream yet").wait_for()
    server.forget_sessions()
    page.get_by_role("link", name="People").click()
    page.locator(".signin").wait_for()


def test_one_who_may_only_look_is_offered_nothing_else(open_page, server):
    server.service.add_stream("gate")
    server.service.enrol("Anna", "a.jpg", fake_pictures.enhanced(0, 72))
    page = open_page(token="look")
    page.locator(".tile").wait_for()
    server.service.track(server.service.face("gate", 7), "known", ANNA)
    page.locator(".face").wait_for()
    assert page.locator("main button:visible").all_inner_texts() == []
    for view, there in (("people", ".person"), ("health", ".parts table"), ("search", ".notice"), ("timeline", ".track")):
        page.goto(f"{server.url}/#/{view}")
        page.locator(there).first.wait_for()
        assert page.locator("main button:visible").all_inner_texts() == [], view


def test_strangers_who_came_back_are_shown_together(open_page, server):
    service = server.service
    for track in range(3):
        service.track(service.face("gate", track), "unknown", [])
    page = open_page("#/strangers")
    page.get_by_label("How alike, as a cosine").fill("0.85")
    page.get_by_role("button", name="Look for them").click()
    page.get_by_text("1 stranger came back, of the 3 newest tracks without a name.").wait_for()
    assert page.locator(".strangers .track").count() == 3
    for wrong in ("", "5", "-1"):  # was asked for as it stood: at 0 everybody is one
        page.get_by_label("How alike, as a cosine").fill(wrong)
        page.get_by_role("button", name="Look for them").click()
        assert page.locator(".strangers .track").count() == 3
    page.get_by_label("How alike, as a cosine").fill("0.9")
    page.get_by_role("button", name="Look for them").click()
    page.get_by_text("0 strangers came back").wait_for()


def test_a_person_is_found_enrolled_by_camera_renamed_and_removed(open_page, server):
    service = server.service
    service.enrol("Anna", "a.jpg", fake_pictures.enhanced(0, 72))
    service.track(service.face("gate", 4), "known", ANNA)
    page = open_page("#/search")
    page.locator("input[type=file]").set_input_files([photo()])
    page.locator(".matches").get_by_role("link", name="Anna").click()
    page.locator(".track").wait_for()
    page.get_by_role("button", name="Add pictures").click()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    page.locator(".uploads canvas").wait_for()
    page.get_by_role("button", name="Enrol", exact=True).click()
    page.get_by_text("1 picture of 1 enrolled.").wait_for()
    page.keyboard.press("Escape")
    assert service.people["Anna"].pictures == 2
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Anna Berg")
    page.locator("dialog").get_by_role("button", name="Rename").click()
    page.locator("h1", has_text="Anna Berg").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.locator("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("Nobody is enrolled yet").wait_for()
    assert service.people == {}


def test_a_verdict_offers_what_the_page_can_do(open_page, server):
    """It showed a command for a terminal."""
    page = open_page("#/people")
    page.get_by_role("button", name="Enrol somebody").click()
    page.get_by_label("Name", exact=True).fill("Anna")
    page.locator("dialog input[type=file]").set_input_files([photo("like-bob.jpg")])
    page.get_by_role("button", name="Enrol", exact=True).click()
    verdict = page.locator("dialog .verdict")
    verdict.get_by_text("set apart", exact=True).wait_for()
    assert "facestream" not in verdict.inner_text()
    verdict.get_by_role("button", name="It is Anna: enrol it").click()
    verdict.get_by_text("enrolled", exact=True).wait_for()
    assert server.service.people["Anna"].pictures == 1


def test_where_nobody_is_enrolled_the_live_page_says_so_and_leads_there(page, server):
    service = server.service
    service.track(service.face("entrance", 1, decision="none"), "none", [])
    hint = page.get_by_text("Nobody is enrolled yet, so faces get no name.")
    hint.wait_for()
    service.track(service.face("entrance", 2), "known", ANNA)
    hint.wait_for(state="hidden")
    service.track(service.face("entrance", 3, decision="none"), "none", [])
    page.get_by_role("link", name="Enrol somebody").click()
    page.locator("h1", has_text="People").wait_for()


def test_what_was_set_apart_is_looked_at(open_page, server):
    service = server.service
    service.enrol("Anna", "a.jpg", fake_pictures.enhanced(0, 72))
    service.set_apart("Anna", "anna-2.jpg", "looks like Bob (cosine 0.94)", fake_pictures.enhanced(1, 72))
    service.set_apart("Carl", "", "is blurred or was enlarged (detail 0.03)", b"")
    page = open_page("#/people")
    page.get_by_text("2 pictures at which somebody has to look first").wait_for()
    page.get_by_text("anna-2.jpg: it looks like Bob (cosine 0.94).").wait_for()
    page.get_by_role("button", name="It is Anna: enrol it").click()
    page.get_by_text("The picture is enrolled for Anna.").wait_for()
    page.get_by_text("1 picture at which somebody has to look first").wait_for()
    assert service.people["Anna"].pictures == 2
    page.get_by_role("button", name="Forget it").click()
    page.locator("dialog").get_by_role("button", name="Forget it").click()
    page.locator("#apart-title").wait_for(state="detached")
    assert (service.apart, list(service.people)) == ([], ["Anna"])


def test_two_people_become_one_only_on_purpose(open_page, server, complaints):
    service = server.service
    for name in ("Anna", "Anna Berg"):
        service.enrol(name, "a.jpg", fake_pictures.enhanced(0, 72))
    page = open_page("#/person/Anna")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("   ")
    page.locator("dialog").get_by_role("button", name="Rename").click()
    assert page.get_by_label("New name").evaluate("input => input.validity.patternMismatch")
    page.get_by_label("New name").fill("Anna Berg")
    page.locator("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("dialog", name="Join Anna with Anna Berg?").get_by_role("button", name="Cancel").click()
    assert set(service.people) == {"Anna", "Anna Berg"}
    page.locator("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("button", name="They are one: join them").click()
    page.locator("h1", has_text="Anna Berg").wait_for()
    assert service.people["Anna Berg"].pictures == 2
    complaints[:] = [text for text in complaints if "409" not in text]  # it is asked first, and then told to


def test_a_track_that_still_goes_on_can_be_opened(page, server, complaints):
    server.service.face("gate", 12)
    page.get_by_role("link", name="Open the track").click()
    page.get_by_text("This track may still be going on").wait_for()
    assert page.locator(".big .pair img").count() == 2
    complaints[:] = [text for text in complaints if "404" not in text]  # it is not written down yet
