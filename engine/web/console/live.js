// The wall of streams, and beside it the faces as they arrive.

import { can } from "./api.js";
import { fill, h, keep, options, say } from "./dom.js";
import * as feed from "./feed.js";
import { listen, state } from "./store.js";
import { isTrouble, plural, standing } from "./words.js";
import { Tile } from "./tile.js";
import { decided } from "./why.js";
import { FaceCard } from "./face_card.js";
import { addDialog } from "./stream_dialogs.js";

const MOST_TILES = 120;

export function liveView(root, signal) {
  let filter = "";
  let only = "all";
  let most = MOST_TILES;
  const tiles = new Map(); // name to Tile
  const nodes = new Map();
  let cardsAtOnce = 6;
  const cards = new Map();
  const cardNodes = new Map();
  const wall = h("div", { class: "wall" });
  const strip = h("div", { class: "faces" });
  const count = h("span", { class: "where", role: "status" });
  const more = h("button", { type: "button", hidden: true, onclick: () => { most += MOST_TILES; streams(); } }, "Show more");
  const none = h("div");
  const quiet = h("p", { class: "empty" }, "No face yet. They appear here as they arrive, the newest first.");
  const nobody = h("p", { class: "advice", role: "status", hidden: true }, "Nobody is enrolled yet, so faces get no name. ",
    can("enrol") && h("a", { href: "#/people" }, "Enrol somebody"));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) tiles.get(entry.target.dataset.name)?.seen(entry.isIntersecting);
    watch();
  }, { rootMargin: "200px" });
  const watch = () => feed.watch([...tiles].filter(([, tile]) => tile.visible).map(([name]) => name));
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    for (const tile of tiles.values()) tile.seen(false);
    feed.watch([]);
  });

  fill(root,
    h("div", { class: "watch" },
      h("section", { "aria-labelledby": "wall-title" },
        h("div", { class: "head" }, h("h1", { id: "wall-title" }, "Streams"), count,
          h("input", { type: "search", placeholder: "Find a stream", "aria-label": "Find a stream", class: "small",
            oninput: (event) => { filter = event.target.value.trim().toLowerCase(); streams(); } }),
          h("select", { "aria-label": "Which streams", class: "small", onchange: (event) => { only = event.target.value; streams(); } },
            options([["all", "all"], ["trouble", "in trouble"], ["live", "live"], ["paused", "paused"]])),
          can("operate") && h("button", { type: "button", class: "primary", onclick: addDialog }, "Add a stream")),
        none, wall, more),
      h("section", { class: "strip", "aria-labelledby": "faces-title" },
        h("div", { class: "head" }, h("h2", { id: "faces-title" }, "Faces")), quiet, nobody, strip)));

  function streams() {
    if (signal.aborted) return;
    const all = [...state.streams.values()];
    const wanted = all.filter((stream) => stream.name.toLowerCase().includes(filter) && {
      all: true, trouble: isTrouble(stream), live: standing(stream) === "live", paused: stream.paused,
    }[only]);
    const drawn = new Set(wanted.slice(0, most).map((stream) => stream.name));
    // One that does not fit the filter now is hidden and not thrown away: the next letter may want it again.
    keep(wall, nodes, all.filter((stream) => nodes.has(stream.name) || drawn.has(stream.name)), (stream) => stream.name, (stream) => {
      const tile = new Tile(stream);
      tiles.set(stream.name, tile);
      watcher.observe(tile.node);
      return tile.node;
    }, (node, stream) => {
      node.hidden = !drawn.has(stream.name);
      tiles.get(stream.name).update(stream);
    });
    for (const [name, tile] of tiles) {
      if (nodes.has(name)) continue;
      watcher.unobserve(tile.node);
      tile.seen(false);
      tiles.delete(name);
    }
    more.hidden = wanted.length <= drawn.size;
    say(count, all.length === wanted.length ? plural(all.length, "stream") : `${wanted.length} of ${plural(all.length, "stream")}`);
    if (!state.status) fill(none, h("p", { class: "empty" }, "Waiting for the service …"));
    else if (!all.length) fill(none, welcome());
    else if (!wanted.length) fill(none, h("p", { class: "empty" }, "No stream fits."));
    else fill(none);
  }

  function faces() {
    if (signal.aborted) return;
    const entries = [...state.faces.values()].reverse().slice(0, cardsAtOnce);
    keep(strip, cardNodes, entries, (entry) => entry.key, (entry) => {
      const card = new FaceCard(entry);
      cards.set(entry.key, card);
      return card.node;
    }, (node, entry) => cards.get(entry.key).update(entry));
    for (const key of cards.keys()) if (!cardNodes.has(key)) cards.delete(key);
    quiet.hidden = entries.length > 0;
    nobody.hidden = !entries.length || decided(entries[0]).decision !== "none" || state.status?.models?.embedder === "none";
  }

  listen(["status"], streams, signal);
  listen(["preview"], () => { for (const tile of tiles.values()) tile.picture(); }, signal);
  listen(["face"], faces, signal);
  streams();
  faces();
  // The wall is there at once; cards that nobody sees yet follow when there is time.
  requestIdleCallback(() => {
    cardsAtOnce = Infinity;
    faces();
  }, { timeout: 1000 });
}

function welcome() {
  return h("div", { class: "card welcome" }, h("h2", null, "No stream yet"),
    h("p", null, "Attach a camera by its address, as rtsp://192.0.2.10/stream1."),
    can("operate") ? h("button", { type: "button", class: "primary", onclick: addDialog }, "Add a stream")
      : h("p", { class: "where" }, "You may look, but not add streams: ask for a token with the role “operate”."));
}
