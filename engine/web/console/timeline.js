// The last days: when somebody was where, as marks on a line for each stream, and as a list.

import { get, url } from "./api.js";
import { fill, h } from "./dom.js";
import { listen, state } from "./store.js";
import { trackList } from "./track_list.js";
import { field, values } from "./ui.js";
import { clock, day, headline, trackAddress, zone } from "./words.js";

const HOURS = [["1", "last hour"], ["6", "last 6 hours"], ["24", "last 24 hours"], ["72", "last 3 days"], ["168", "last 7 days"], ["", "another time …"]];
const HOUR_MS = 3_600_000;
const MOST_LANES = 12;
/** Milliseconds as a string of nanoseconds: more digits than a number holds. */
const nanoseconds = (ms) => String(BigInt(Math.round(ms)) * 1_000_000n);

let remembered = { hours: "24" };

export function timelineView(root, signal) {
  let page = new AbortController();
  signal.addEventListener("abort", () => page.abort());
  const lanes = h("div", { class: "lanes" });
  const list = h("div");
  const option = (value, text) => h("option", { value }, text);
  const streams = h("select", { name: "stream" }, option("", "all streams"));
  const people = h("select", { name: "person" }, option("", "anybody"));
  const span = h("div", { class: "two span", hidden: remembered.hours !== undefined },
    field(`From (${zone(Date.now())})`, h("input", { type: "datetime-local", name: "from" })), field(`To (${zone(Date.now())})`, h("input", { type: "datetime-local", name: "to" })));
  const hours = h("select", { name: "hours" }, HOURS.map(([value, text]) => option(value, text)));
  const form = h("form", { class: "filters", "aria-label": "Which tracks", onsubmit: (event) => event.preventDefault(), onchange: () => load() },
    field("Time", hours), field("Stream", streams), field("Person", people),
    field("Decision", h("select", { name: "decision" }, [["", "any"], "known", "undecided", "unknown", "none"].map((one) =>
      Array.isArray(one) ? option(...one) : option(one, one)))), span);

  function load() {
    page.abort();
    page = new AbortController();
    const chosen = values(form);
    remembered = chosen;
    span.hidden = Boolean(chosen.hours);
    const now = Date.now();
    const from = chosen.hours ? now - Number(chosen.hours) * HOUR_MS : chosen.from ? Date.parse(chosen.from) : 0;
    const to = chosen.hours ? 0 : chosen.to ? Date.parse(chosen.to) : 0;
    const query = { stream: chosen.stream, person: chosen.person, decision: chosen.decision };
    if (from) query.from = nanoseconds(from);
    if (to) query.to = nanoseconds(to);
    fill(lanes);
    trackList(list, query, page.signal, "No track in this time.", (tracks) => fill(lanes, drawLanes(tracks, from, to || now)));
  }

  fill(root, h("div", { class: "head" }, h("h1", null, "Timeline")), form, lanes, list);
  const known = () => {
    const names = [...state.streams.keys()];
    if (names.join() === [...streams.options].slice(1).map((one) => one.value).join()) return;
    fill(streams, option("", "all streams"), names.map((name) => option(name, name)));
    streams.value = remembered.stream ?? "";
  };
  listen(["status"], known, signal);
  known();
  for (const name of ["hours", "decision"]) form.elements[name].value = remembered[name] ?? "";
  get(url("people"), signal).then((answer) => {
    people.append(...answer.people.slice(0, 500).map((person) => option(person.name, person.name)));
    people.value = remembered.person ?? "";
  }, () => {});
  load();
}

/** A mark for each track, where it was in time; the list below holds the same for the keyboard and for readers of screens. */
function drawLanes(tracks, from, to) {
  if (!tracks.length) return null;
  const times = tracks.map((track) => [Number(track.first_ns) / 1e6, Number(track.last_ns) / 1e6]);
  const start = Math.max(from, Math.min(...times.map(([first]) => first)) - 60_000);
  const wide = Math.max(1, to - start);
  const part = (ms) => `${(100 * Math.min(1, Math.max(0, (ms - start) / wide))).toFixed(2)}%`;
  const names = [...new Set(tracks.map((track) => track.stream))].sort().slice(0, MOST_LANES);
  const marks = (name) => tracks.flatMap((track, index) => {
    if (track.stream !== name) return [];
    const mark = h("a", { href: trackAddress(track), tabindex: -1, class: `mark-of ${track.decision}`,
      title: `${headline(track.decision, track.candidates)}, ${clock(times[index][0])}` });
    mark.style.left = part(times[index][0]);
    mark.style.width = `max(4px, ${(100 * (times[index][1] - times[index][0])) / wide}%)`;
    return [mark];
  });
  const label = (ms) => (wide > 36 * HOUR_MS ? `${day(ms)} ${clock(ms).slice(0, 5)}` : clock(ms).slice(0, wide < HOUR_MS / 6 ? 8 : 5));
  return h("div", { class: "card", "aria-hidden": "true" },
    names.map((name) => h("div", { class: "lane" }, h("span", { class: "where", title: name }, name), h("div", { class: "rail" }, marks(name)))),
    h("div", { class: "lane" }, h("span"), h("div", { class: "scale where" }, [0, 0.5, 1].map((share) => h("span", null, `${label(start + share * wide)}${share === 1 ? ` ${zone(to)}` : ""}`)))));
}
