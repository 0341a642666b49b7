// Strangers who came back: tracks without a name that look like each other, as the service's search finds them.

import { can, get, url } from "./api.js";
import { fill, h, say } from "./dom.js";
import { alike } from "./sightings.js";
import { trackKey } from "./store.js";
import { row } from "./track_list.js";
import { attempt } from "./ui.js";
import { number, plural } from "./words.js";

const LOOKED_AT = 16;
const USUAL_COSINE = 0.95;

/** Tracks that are linked, directly or by others: arrays of two or more. `links`: pairs of keys. */
export function groups(keys, links) {
  const parent = new Map(keys.map((key) => [key, key]));
  const root = (key) => {
    while (parent.get(key) !== key) key = parent.get(key);
    return key;
  };
  for (const [a, b] of links) {
    if (parent.has(a) && parent.has(b)) parent.set(root(a), root(b));
  }
  const found = new Map();
  for (const key of keys) found.set(root(key), [...(found.get(root(key)) ?? []), key]);
  return [...found.values()].filter((group) => group.length > 1);
}

export function strangersView(root, signal) {
  const results = h("div", { class: "strangers" });
  const note = h("p", { class: "where", role: "status" });
  const limit = h("input", { type: "number", required: true, min: 0.5, max: 1, step: 0.005, class: "small", value: USUAL_COSINE, "aria-label": "How alike, as a cosine" });
  const button = h("button", { type: "button", class: "primary", onclick: () => limit.reportValidity() && attempt(button, look) }, "Look for them");

  async function look() {
    fill(results);
    const pages = await Promise.all(["unknown", "undecided"].map((decision) => get(`${url("tracks")}?decision=${decision}&limit=200`, signal)));
    const tracks = pages.flatMap((page) => page.tracks).sort((a, b) => b.last_ns - a.last_ns);
    const known = new Map(tracks.map((track) => [trackKey(track), track]));
    const asked = tracks.filter((track) => track.best?.pictures?.original).slice(0, LOOKED_AT);
    const links = [];
    for (const [index, track] of asked.entries()) {
      say(note, `Looking at ${index + 1} of ${asked.length} …`);
      const found = await alike(track, signal).catch((error) => {
        if (!["refused", "not_found"].includes(error.code)) throw error; // no face in a small picture is no fault, nor one that has expired
        return { tracks: [] };
      });
      for (const one of found.tracks) if (one.cosine >= Number(limit.value)) links.push([trackKey(track), trackKey(one)]);
    }
    const together = groups([...known.keys()], links);
    say(note, `${plural(together.length, "stranger")} came back, of the ${plural(asked.length, "newest track")} without a name.`);
    fill(results, together.map((keys) => h("section", { class: "card" }, h("h2", null, `${number(keys.length)} times`),
      h("div", { class: "tracks" }, keys.map((key) => row(known.get(key)))))));
  }

  fill(root, h("p", null, h("a", { class: "back", href: "#/people" }, "← People")), h("div", { class: "head" }, h("h1", null, "Strangers who came back")),
    can("enrol") ? [
      h("p", { class: "where" }, `The ${LOOKED_AT} newest tracks without a name are compared with all tracks of the last days. At which cosine two are the same person depends on the model and on the size of the faces: look at the pictures before you believe it.`),
      h("div", { class: "row" }, h("label", { class: "row" }, "At least this alike ", limit), button), note, results,
    ] : h("p", { class: "notice" }, "To compare faces you need a token with the role “enrol”."));
}
