// Has this face been seen before? The service compares its original picture with the tracks of the last days.

import { ApiError, call, url } from "./api.js";
import { fill, h, said } from "./dom.js";
import { trackKey } from "./store.js";
import { number, plural, trackAddress } from "./words.js";

/** Find who and what looks like the best original picture of a track. */
export async function alike(track, signal) {
  const reply = await fetch(track.best.pictures.original, { signal, credentials: "same-origin" });
  if (!reply.ok) throw new ApiError("not_found", "The original picture is no longer kept.");
  return call("POST", url("search"), await reply.blob(), signal);
}

/** Show where somebody like the best face of a track was seen. */
export async function sightings(root, track, signal) {
  const found = await alike(track, signal);
  const others = found.tracks.filter((one) => trackKey(one) !== trackKey(track));
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
      h("a", { href: trackAddress(one) }, `${one.stream}, track ${one.track_id}`), one.identity && ` · named ${one.identity}`))));
}

const meter = (cosine) => h("span", { class: "figure" }, h("meter", { min: 0, max: 1, value: Math.max(0, cosine), "aria-hidden": "true" }), ` ${number(cosine, 3)} `);
