// One track: what it was decided to be, on what grounds, and all its faces.

import { can, get, url } from "./api.js";
import { badge, facts, fill, h, said } from "./dom.js";
import { agreesWithPicture, candidateTable, groundsList, pair } from "./face_card.js";
import { enrolFace, notThatPerson } from "./corrections.js";
import { order } from "./track_list.js";
import { sightings } from "./sightings.js";
import { state } from "./store.js";
import { attempt } from "./ui.js";
import { clock, day, duration, headline, MARK, number, seenAt, zone } from "./words.js";
import { whySentence } from "./why.js";

const MOST_FACES = 60;

export function trackView(root, signal, [run, stream, number_]) {
  fill(root, h("p", { class: "where" }, "Loading …"));
  attempt(null, async () => {
    let track;
    try {
      track = await get(url("tracks", run, stream, number_), signal);
    } catch (error) {
      const now = error.code === "not_found" && state.faces.get([run, stream, number_].join("/"));
      if (now) return show(root, unfinished(now), signal);
      fill(root, h("p", null, h("a", { class: "back", href: "#/timeline" }, "← Timeline")), h("h1", null, "Track"), h("p", { class: "notice" }, said(error.message)));
      return undefined;
    }
    return show(root, track, signal);
  });
}

/** A track that goes on now, as far as this page has seen it: it is written down when something is decided, or when it ends. */
function unfinished({ face, best, track, picture, faces, since }) {
  const { decision, candidates } = track ?? best;
  return { ...face, decision, candidates, best, picture, faces, track, first_ns: since, last_ns: face.captured_ns, all: [best], goesOn: true };
}

function show(root, track, signal) {
  const entry = { track: track.track ?? track, best: track.best, faces: track.faces };
  const [first, last] = [Number(track.first_ns) / 1e6, Number(track.last_ns) / 1e6];
  const name = track.decision === "known" ? track.candidates[0]?.identity : "";
  const settings = { ...state.settings, ...track.settings }; // what was asked for then
  const again = h("div");
  fill(root, steps(),
    h("div", { class: "head" }, h("h1", null, h("bdi", null, headline(track.decision, track.candidates))), badge(track.decision)),
    h("p", { class: "where" }, `${track.stream} · track ${track.track_id} · ${day(first)}, ${clock(first)} to ${clock(last)} ${zone(last)} (${duration((last - first) / 1000)})`),
    (track.goesOn || track.ended === false) && h("p", { class: "advice", role: "status" }, "This track may still be going on; all its faces are listed here once it has ended."),
    h("article", { class: `card big ${track.decision}` },
      track.best ? pair(track.best, track.picture) : h("p", { class: "empty" }, "No face of it was kept."),
      h("div", null, track.best && h("p", { class: "why" }, whySentence(entry, settings)),
        track.best && groundsList(entry, settings), candidateTable(track.candidates ?? [], entry.track.basis?.log10_lr_bounds),
        facts([["frames seen", track.frames_seen ? number(track.frames_seen) : null], ["faces", number(track.faces)],
          ["best at", track.best && clock(seenAt(track.best))],
          ["frames agree", track.picture && `${number(100 * track.picture.agreement)} %`],
          [agreesWithPicture(), track.best?.enhanced && `${number(track.best.enhanced.lr_consistency_db, 1)} dB`]]),
        can("enrol") && h("div", { class: "row" },
          name && h("button", { type: "button", onclick: (event) => notThatPerson(track, name, event.currentTarget) }, `This is not ${name}`),
          track.best && h("button", { type: "button", onclick: () => enrolFace(track.best) }, name ? `Enrol as …` : "Give a name"),
          track.best?.pictures?.original && h("button", { type: "button",
            onclick: (event) => attempt(event.currentTarget, () => sightings(again, track, signal)) }, "Seen elsewhere?")))),
    again, h("section", { "aria-labelledby": "all-faces" }, h("h2", { id: "all-faces" }, "All its faces, best first"), all(track.all ?? [])),
    h("footer", null, "Decisions rest on the original pictures, fused over the track; an enhanced score may confirm one, never make one."));
}

function all(faces) {
  const shown = faces.slice(0, MOST_FACES);
  return h("ul", { class: "allfaces" }, shown.map((face) => {
    const { original, enhanced } = face.pictures ?? {};
    const what = `${clock(seenAt(face))}, ${number(face.quality.size_px)} px, quality ${number(face.quality.score, 2)}`;
    return h("li", null,
      original && h("img", { src: original, alt: `Original, ${what}`, loading: "lazy", class: "pixels" }),
      enhanced && h("span", { class: "enhanced" }, h("img", { src: enhanced, alt: `${MARK}, ${what}`, title: MARK, loading: "lazy" })),
      h("span", { class: "where" }, what));
  }), faces.length > shown.length && h("li", { class: "where" }, `and ${faces.length - shown.length} more`));
}

/** To the neighbours in the list that one came from. */
function steps() {
  const at = order.indexOf(location.hash);
  const step = (to, text) => to && h("a", { class: "back", href: to }, text);
  return h("nav", { class: "row", "aria-label": "Neighbours" }, h("a", { class: "back", href: "#/timeline" }, "← Timeline"),
    step(order[at - 1], "later"), at >= 0 && step(order[at + 1], "earlier"));
}
