// One stream on the wall.

import { can, url } from "./api.js";
import { badge, h, say } from "./dom.js";
import { drawFrom, release } from "./pictures.js";
import { state } from "./store.js";
import { changeDialog, pauseOrResume, removeStream } from "./stream_dialogs.js";
import { millis, number, plural, rate, standing, stateReason, stateWord } from "./words.js";

const FIGURES = [
  ["pictures/s", (stream) => rate(stream.fps)],
  ["detections/s", (stream) => rate(stream.detections_per_second)],
  ["faces", (stream) => number(stream.faces)],
  ["dropped", (stream) => number(stream.dropped)],
  ["latency p50", (stream) => millis(stream.latency_p50_ms)],
  ["latency p99", (stream) => millis(stream.latency_p99_ms)],
];

export class Tile {
  /** Whether it is in view, or nearly. */
  visible = false;
  #drawn = null;
  #stream;

  /** At first only a frame with a name: what is in it is made when it comes into view. */
  constructor(stream) {
    const id = `stream-${stream.name}`;
    this.#stream = stream;
    this.screen = h("div", { class: "screen" });
    this.about = h("div", { class: "about" }, h("h2", { id, class: "title" }, stream.name));
    this.node = h("article", { class: "tile", "aria-labelledby": id, "data-name": stream.name }, this.screen, this.about);
  }

  #build() {
    const { name } = this.#stream;
    this.canvas = h("canvas", { role: "img", "aria-label": `No picture of ${name} yet` });
    this.veil = h("span", { class: "veil" });
    this.screen.append(this.canvas, this.veil);
    this.badge = badge("", "");
    this.reason = h("p", { class: "reason" });
    this.size = h("span", { class: "where" });
    this.figures = FIGURES.map(() => h("dd"));
    this.pause = can("operate") && h("button", { type: "button", onclick: (event) => pauseOrResume(this.#stream, event.currentTarget) });
    const act = (text, work) => h("button", { type: "button", onclick: work, "aria-label": `${text} ${name}` }, text);
    this.about.append(this.badge, this.size, this.reason,
      h("dl", null, FIGURES.map(([title], index) => h("div", null, h("dt", null, title), this.figures[index]))),
      h("div", { class: "row" },
        h("a", { class: "button", href: `#/why/${encodeURIComponent(name)}`, "aria-label": `Why no face? ${name}` }, "Why no face?"),
        this.pause || "",
        can("operate") ? act("Change", () => changeDialog(this.#stream)) : "",
        can("operate") ? act("Remove", () => removeStream(this.#stream)) : ""));
  }

  update(stream) {
    this.#stream = stream;
    const kind = standing(stream);
    if (this.node.dataset.state !== kind) this.node.dataset.state = kind;
    if (!this.visible) return; // nobody sees the rest; it is brought up to date when it comes into view
    const look = `badge ${kind}`;
    if (this.badge.className !== look) this.badge.className = look;
    say(this.badge, stateWord(kind));
    say(this.reason, stateReason(stream));
    this.reason.title = stream.detail ?? "";
    say(this.size, stream.width_px ? `${stream.width_px} × ${stream.height_px} px` : "");
    FIGURES.forEach(([, of], index) => say(this.figures[index], of(stream)));
    if (this.pause) {
      say(this.pause, stream.paused ? "Resume" : "Pause");
      this.pause.setAttribute("aria-label", `${this.pause.textContent} ${stream.name}`);
    }
    this.#cover(kind);
  }

  /** What lies over the picture: why there is none, or none that is of now. */
  #cover(kind) {
    say(this.veil, kind !== "live" ? stateWord(kind) : state.previews.has(this.#stream.name) ? "" : "no picture yet");
  }

  /** Only what is in view costs anything. */
  seen(visible) {
    if (visible === this.visible) return;
    this.visible = visible;
    if (visible) {
      if (!this.canvas) this.#build();
      this.update(this.#stream);
      this.picture();
    } else {
      release(this.canvas);
      this.#drawn = null;
    }
  }

  /** Draw the newest preview, if it is new. */
  picture() {
    const { name } = this.#stream;
    const preview = state.previews.get(name);
    if (!this.visible || document.hidden || !preview || preview === this.#drawn || this.canvas.dataset.busy) return;
    this.#drawn = preview;
    this.#cover(this.node.dataset.state);
    const boxes = preview.boxes ?? [];
    drawFrom(this.canvas, preview.url ?? url("streams", name, "picture"), { boxes, width: preview.width_px, height: preview.height_px });
    const names = boxes.map((box) => box.name).filter(Boolean);
    const label = `Last picture of ${name}: ${boxes.length ? plural(boxes.length, "face") : "no face"}${names.length ? `, ${names.join(", ")}` : ""}`;
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
  }
}
