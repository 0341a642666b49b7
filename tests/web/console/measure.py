"""How quick the console is with 100 streams, and whether it grows: ``python -m tests.web.console.measure [streams] [minutes]``.

A real Chromium shows the wall while a fake service tells as much as a busy real one: the status of all streams once a second, a
preview a second of each stream in view, and two faces a second. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from engine.contracts.findings import Candidate
from tests.web.console.browser import chromium
from tests.web.console.fake_server import FakeServer

FACES_A_SECOND = 2
WATCH = """() => {
    window.spent = [];
    const note = (one) => one.interactionId && window.spent.push([one.interactionId, one.duration]);
    new PerformanceObserver((list) => list.getEntries().forEach(note))
        .observe({ type: 'event', durationThreshold: 16, buffered: true });
}"""
ROUNDS = 8


def furnish(server: FakeServer, streams: int) -> None:
    for number in range(streams):
        server.service.add_stream(f"camera-{number:03}")


def second(server: FakeServer, at: int) -> None:
    """Tell what happens in one second."""
    service = server.service
    service.tick()
    for number, name in enumerate(service.streams):
        service.preview(name, ((number % 6, at, "Anna" if number % 3 else ""),))
        for old in list(service.pictures)[: max(0, len(service.pictures) - 4000)]:
            del service.pictures[old]
    for number in range(FACES_A_SECOND):
        track = at * FACES_A_SECOND + number
        face = service.face(f"camera-{number:03}", track, track % 6, 24 + track % 48)
        if number:
            service.track(face, "known", [Candidate("Anna", 0.9, 0.9, false_name_chance=0.0001)])


def sizes(page: Any) -> dict[str, float]:
    """Return what the page holds after a garbage collection: heap in MB, nodes, listeners."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    counters = session.send("Memory.getDOMCounters")
    session.detach()
    return {"heap_mb": round(heap, 2), "nodes": counters["nodes"], "listeners": counters["jsEventListeners"]}


def caught_up(page: Any, server: FakeServer) -> None:
    """Wait until the page has shown the newest status."""
    seconds = server.service.status().uptime_seconds
    reached = "async (wanted) => (await import('/console/store.js')).state.status?.uptime_seconds >= wanted"
    page.wait_for_function(reached, arg=seconds, timeout=120_000)


def acts(page: Any) -> list[Any]:
    """Return what a user does, each as a function."""
    find, which = page.get_by_label("Find a stream"), page.get_by_label("Which streams")
    link = lambda name: page.get_by_role("link", name=name, exact=True)  # noqa: E731
    return [
        find.click,
        lambda: page.keyboard.press("9"),
        lambda: page.keyboard.press("Backspace"),
        lambda: which.select_option("live"),
        lambda: which.select_option("all"),
        page.locator(".face summary").first.click,
        page.locator(".tile").get_by_role("link").first.click,
        link("Health").click,
        link("Timeline").click,
        link("Live").click,
        lambda: page.mouse.wheel(0, 900),
        page.get_by_role("button", name="Add a stream").first.click,
        lambda: page.keyboard.press("Escape"),
    ]


def interactions(page: Any) -> dict[str, float]:
    """Do what a user does, and return how long it took until it was painted, in ms (what took less than 16 Chromium does not
    tell), and the processor time of the page's main thread for each."""
    page.evaluate(WATCH)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(one["value"] for one in found if one["name"] == "TaskDuration")

    spent = []
    for _ in range(ROUNDS):
        for act in acts(page):
            before = busy()
            act()
            page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
            spent.append(busy() - before)
    print([share(spent[at :: len(acts(page))], 0.5) for at in range(len(acts(page)))], file=sys.stderr)  # noqa: T201
    longest: dict[int, float] = {}
    for key, took in page.evaluate("window.spent"):
        longest[key] = max(longest.get(key, 0), took)
    painted = sorted(longest.values())
    return {
        "interactions": len(spent), "cpu_p50_ms": share(spent, 0.5), "cpu_p95_ms": share(spent, 0.95), "told": len(painted),
        "painted_p50_ms": share(painted, 0.5), "painted_p95_ms": share(painted, 0.95),
    }  # fmt: skip


def share(values: list[float], part: float) -> float:
    """Return what so large a part of the values does not exceed."""
    return round(sorted(values)[min(len(values) - 1, int(part * len(values)))], 1)


def main(streams: int, minutes: int) -> dict[str, Any]:
    server = FakeServer()
    furnish(server, streams)
    second(server, 0)  # makes the pictures, which takes its time
    try:
        with chromium() as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            context.request.post(f"{server.url}/api/v1/session", data={"token": "all"})
            context.set_default_timeout(120_000)
            page = context.new_page()
            page.goto(server.url)
            page.locator(".tile").nth(streams - 1).wait_for(state="attached")
            over = threading.Event()

            def keep_telling() -> None:
                at = 0
                while not over.wait(1.0):
                    second(server, at := at + 1)

            teller = threading.Thread(target=keep_telling)
            teller.start()
            page.locator(".face").first.wait_for()
            took = interactions(page)
            over.set()
            teller.join()
            print(took, file=sys.stderr)  # noqa: T201
            grown = [sizes(page)]
            for minute in range(minutes):
                for at in range(60):
                    second(server, 1000 + minute * 60 + at)
                    if at % 10 == 9:
                        caught_up(page, server)
                if minute % max(1, minutes // 6) == 0 or minute == minutes - 1:
                    grown.append(sizes(page))
                    print(minute, grown[-1], file=sys.stderr)  # noqa: T201
            return {"streams": streams, **took, "minutes": minutes, "sizes": grown}
    finally:
        server.close()


if __name__ == "__main__":
    print(json.dumps(main(*(int(value) for value in (*sys.argv[1:], "100", "30")[:2]))))  # noqa: T201
