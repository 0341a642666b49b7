// Tracks of the past as a list that one walks through with the keys, page after page, the newest first.

import { get, url } from "./api.js";
import { badge, fill, h } from "./dom.js";
import { attempt } from "./ui.js";
import { clock, day, headline, MARK, plural, trackAddress } from "./words.js";

const PAGE = 60;
const MOST = 300;
const HOUR_MS = 3_600_000;
const beginning = (track) => Number(track.first_ns) / 1e6;

/** The order of the list that was shown last, so that a track's page can lead to its neighbours. */
export let order = [];

/** Show the tracks that fit `query` ({from, to, stream, person, decision}); calls `loaded(tracks)` after each page. */
export function trackList(root, query, signal, empty = "No track in this time.", loaded = () => {}) {
  let tracks = [];
  let cursor = "";
  const list = h("div", { class: "tracks", role: "list", "aria-label": "Tracks, the newest first", onkeydown: (event) => walk(event, list) });
  const note = h("p", { class: "where", role: "status" });
  const older = h("button", { type: "button", hidden: true, onclick: () => load() }, "Show older ones");
  fill(root, note, list, older);

  const load = () => attempt(older, async () => {
    const asked = new URLSearchParams(Object.entries({ ...query, cursor, limit: PAGE }).filter(([, value]) => value));
    const page = await get(`${url("tracks")}?${asked}`, signal);
    tracks = [...tracks, ...page.tracks];
    cursor = page.cursor ?? "";
    // The oldest stay: one who asks for more has seen the newest.
    const cut = Math.max(0, tracks.length - MOST);
    tracks = tracks.slice(cut);
    order = tracks.map(trackAddress);
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : "";
    fill(list, rows(tracks));
    list.querySelectorAll("a").forEach((link, index) => { if (index) link.tabIndex = -1; });
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    older.hidden = !cursor;
    const said = tracks.length ? `${plural(tracks.length, "track")}${cut ? " of those further back" : ""}.` : empty;
    if (note.firstChild?.textContent !== said) fill(note, said, tracks.length > 0 && h("span", { class: "keys" }, " Arrow keys walk through them, Page up and Page down by the hour."));
    loaded(tracks);
  });
  return load();
}

function rows(tracks) {
  const nodes = [];
  let hour = null;
  for (const track of tracks) {
    const ms = beginning(track);
    const its = Math.floor(ms / HOUR_MS);
    if (its !== hour) nodes.push(h("h2", { class: "hour" }, `${day(ms)}, ${clock(its * HOUR_MS).slice(0, 5)}`));
    hour = its;
    nodes.push(h("div", { role: "listitem" }, row(track, its)));
  }
  return nodes;
}

export function row(track, hour = 0) {
  const made = track.picture?.pictures?.track ?? track.best?.pictures?.enhanced;
  const picture = made ?? track.best?.pictures?.original;
  const enhanced = Boolean(made);
  return h("a", { class: `track ${track.decision}`, href: trackAddress(track), "data-hour": hour },
    h("span", { class: enhanced ? "small enhanced" : "small", title: enhanced ? MARK : null },
      picture && h("img", { src: picture, alt: enhanced ? "AI-enhanced" : "", loading: "lazy", width: 54, height: 54 })),
    h("span", { class: "name" }, h("bdi", null, h("b", null, headline(track.decision, track.candidates))), " ", badge(track.decision)),
    h("span", { class: "where" }, `${clock(beginning(track))} · ${track.stream} · ${plural(track.faces ?? 0, "face")}`));
}

/** Arrow keys from track to track, Page up and down to the next hour, Home and End. One stop for Tab. */
function walk(event, list) {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (at < 0) return;
  const hour = links[at].dataset.hour;
  const firstOf = (index) => links.findIndex((link) => link.dataset.hour === links[index].dataset.hour);
  const later = links.findIndex((link, index) => index > at && link.dataset.hour !== hour);
  const start = firstOf(at);
  const next = {
    ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, PageDown: later < 0 ? links.length - 1 : later, PageUp: at > start ? start : firstOf(Math.max(0, start - 1)), Home: 0,
    End: links.length - 1,
  }[event.key];
  if (next === undefined || !links[next]) return;
  event.preventDefault();
  links[at].tabIndex = -1;
  links[next].tabIndex = 0;
  links[next].focus();
}
