// Who is in a picture?

import { call, can, url } from "./api.js";
import { fill, h, said } from "./dom.js";
import { draw } from "./pictures.js";
import { photoInput } from "./photo_input.js";
import { matches } from "./sightings.js";
import { attempt } from "./ui.js";

export function searchView(root, signal) {
  const results = h("div", { "aria-live": "polite" });
  const canvas = h("canvas", { role: "img", "aria-label": "The picture that is looked for", hidden: true, class: "sought" });
  const look = ([file]) => attempt(null, async () => {
    canvas.hidden = false;
    draw(canvas, file).catch(() => { canvas.hidden = true; });
    fill(results, h("p", { class: "where" }, "Looking …"));
    try {
      fill(results, matches(await call("POST", url("search"), file, signal)));
    } catch (error) {
      fill(results, error.code === "refused" && h("p", { class: "notice" }, said(error.message)));
      if (error.code !== "refused") throw error;
    }
  });
  fill(root, h("div", { class: "head" }, h("h1", null, "Search")),
    can("enrol") ? [
      h("p", { class: "where" }, "Give a photo, and see who of the gallery, and which tracks of the last days, look like it. The photo is not kept."),
      photoInput(look, { several: false, label: "Drop a photo here" }), canvas, results,
    ] : h("p", { class: "notice" }, "To search you need a token with the role “enrol”."));
}
