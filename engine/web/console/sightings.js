// Has this face been seen before? The service compares its original picture with the tracks of the last days.

import { call, url } from "./api.js";
import { fill, h, said } from "./dom.js";
import { number, plural } from "./words.js";

/** Show where somebody like the best face of a track was seen. */
export async function sightings(root, track, signal) {
  const reply = await fetch(track.best.pictures.original, { signal, credentials: "same-origin" });
  if (!reply.ok) throw new Error("The original picture is no longer kept.");
  const found = await call("POST", url("search"), await reply.blob(), signal);
  const others = found.tracks.filter((one) => !(one.run_id === track.run_id && one.stream === track.stream && one.track_id === track.track_id));
  fill(root, h("section", { class: "card" }, h("h2", null, "Seen elsewhere?"), matches({ ...found, tracks: others })));
}

/** What a search found, best first. */
export function matches(found) {
  const { people, tracks, reason } = found;
  if (!people.length && !tracks.length) return h("p", { class: "advice" }, said(reason || "nobody like this was seen"));
  return h("div", null,
    reason && h("p", { class: "notice" }, said(reason)),
    h("p", { class: "where" }, "Sorted by resemblance. The figure is a cosine: 1 is the same picture, and strangers reach high values too."),
    people.length > 0 && h("h2", null, plural(people.length, "person", "people")),
    h("ul", { class: "matches" }, people.map((one) => h("li", null, meter(one.cosine),
      h("a", { href: `#/person/${encodeURIComponent(one.identity)}` }, one.identity)))),
    tracks.length > 0 && h("h2", null, plural(tracks.length, "track")),
    h("ul", { class: "matches" }, tracks.map((one) => h("li", null, meter(one.cosine),
      h("a", { href: `#/track/${[one.run_id, one.stream, one.track_id].map(encodeURIComponent).join("/")}` },
        `${one.stream}, track ${one.track_id}`), one.identity && ` · named ${one.identity}`))));
}

const meter = (cosine) => h("span", { class: "figure" }, h("meter", { min: 0, max: 1, value: Math.max(0, cosine), "aria-hidden": "true" }), ` ${number(cosine, 3)} `);
