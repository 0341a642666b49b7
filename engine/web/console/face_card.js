// One person's walk through a picture: the best face so far, beside its enhanced form, with the decision and its grounds.

import { can } from "./api.js";
import { badge, facts, fill, h, say, table } from "./dom.js";
import { state } from "./store.js";
import { bounded, chance, clock, headline, MARK, number, seenAt, trackAddress } from "./words.js";
import { decided, grounds, whySentence } from "./why.js";
import { notThatPerson, enrolFace } from "./corrections.js";

/** How well an enhanced picture fits the original; not "LR", which reads as likelihood ratio. */
export const agreesWithPicture = () => h("span", { title: "The enhanced picture made as small as the original again, and compared " +
  "with it: PSNR of the brightness, at most 100 dB" }, "agrees with the picture");

/** Original and enhanced, side by side: the picture that was made of many frames of its track, where there is one. What is enhanced is always marked. */
export function pair(face, picture = null) {
  const { original, enhanced } = face.pictures ?? {};
  const [, , width, height] = face.crop_box ?? [0, 0, 0, 0];
  const figure = (address, kind, caption, alt, mark) => h("figure", { class: kind },
    h("img", { src: address, alt, loading: "lazy", decoding: "async" }), h("figcaption", null, caption), mark && h("span", { class: "mark" }, mark));
  return h("div", { class: "pair" },
    original && figure(original, "pixels", `original, ${width}\u00a0×\u00a0${height}\u00a0px`, "Face as the camera sent it"),
    picture && figure(picture.pictures.track, "enhanced", `made from ${picture.frames.length} frames, ${picture.model}`, `Face, made from many frames. ${MARK}`, MARK),
    !picture && enhanced && face.enhanced && figure(enhanced, "enhanced", `${face.enhanced.model} (${face.enhanced.scale} times)`, `Enhanced face. ${MARK}`, MARK),
    !original && !enhanced && !picture && h("p", { class: "empty" }, "The pictures are no longer kept."));
}

/** Who was compared, best first. `bounds`: of the likelihood ratios that can be shown. */
export function candidateTable(candidates, bounds = null) {
  if (!candidates.length) return null;
  const measured = candidates.some((one) => typeof one.false_name_chance === "number");
  const weighed = candidates.some((one) => typeof one.log10_lr === "number");
  const head = ["candidate", "cosine", "enhanced", ...(weighed ? ["likelihood ratio"] : []), ...(measured ? ["strangers as alike"] : [])];
  return table("Who it was compared with", head, candidates.slice(0, 3).map((one) => [one.identity, number(one.cosine_original, 3),
    number(one.cosine_enhanced, 3), ...(weighed ? [typeof one.log10_lr === "number" ? bounded(one.log10_lr, bounds) : "–"] : []), ...(measured ? [chance(one.false_name_chance)] : [])]));
}

/** The grounds of a decision, each with its verdict in words and colour. */
export function groundsList(entry, settings = state.settings) {
  return h("ul", { class: "grounds" }, grounds(entry, settings).map(({ name, verdict, text }) =>
    h("li", { class: verdict }, h("b", null, name), " ", text, h("span", { class: "unseen" }, ` (${verdict})`))));
}

export class FaceCard {
  #shown = "";

  constructor(entry) {
    this.pictures = h("div");
    this.title = h("bdi");
    this.badge = badge("", "");
    this.where = h("p", { class: "where" });
    this.why = h("p", { class: "why" });
    this.more = h("div");
    this.acts = h("div", { class: "row" });
    this.details = h("details", { ontoggle: () => this.#detail() }, h("summary", null, "Why, in figures"), this.more);
    this.node = h("article", { class: "face" }, this.pictures,
      h("div", null, h("h3", null, this.title, " ", this.badge), this.where, this.why), this.details, this.acts);
    this.entry = entry;
  }

  update(entry) {
    this.entry = entry;
    const { decision, candidates, alone } = decided(entry);
    const state_ = `${entry.best.seq}/${decision}/${entry.faces}/${candidates[0]?.identity}/${alone}/${entry.picture?.pictures.track}`;
    if (state_ === this.#shown) return;
    const picture = `${entry.best.seq}/${entry.picture?.pictures.track}`;
    const another = picture !== this.picture;
    this.#shown = state_;
    this.picture = picture;
    if (another) fill(this.pictures, pair(entry.best, entry.picture));
    this.node.className = `face ${decision}`;
    say(this.title, headline(decision, candidates));
    this.badge.className = `badge ${decision}`;
    say(this.badge, decision);
    say(this.where, `${entry.face.stream} · track ${entry.face.track_id} · ${clock(seenAt(entry.face))}`);
    say(this.why, whySentence(entry, state.settings));
    this.#detail();
    const key = `${decision}/${candidates[0]?.identity}`;
    if (key === this.actsFor) return;
    this.actsFor = key;
    fill(this.acts,
      h("a", { class: "button", href: trackAddress(entry.face) }, "Open the track"),
      can("enrol") && decision === "known" && h("button", { type: "button", onclick: (event) =>
        notThatPerson(this.entry.face, candidates[0].identity, event.currentTarget) }, `This is not ${candidates[0].identity}`),
      can("enrol") && decision !== "known" && h("button", { type: "button", onclick: () => enrolFace(this.entry.best) }, "Give a name"));
  }

  #detail() {
    if (!this.details.open) return fill(this.more);
    const { best } = this.entry;
    fill(this.more, groundsList(this.entry), candidateTable(decided(this.entry).candidates, this.entry.track?.basis?.log10_lr_bounds), facts([
      ["detector", number(best.detection_score, 2)], ["sharpness", number(best.quality.sharpness, 2)],
      ["frontal", number(best.quality.frontal, 2)],
      ["compression", typeof best.quality.qp === "number" ? `QP ${number(best.quality.qp)}${best.quality.qp_of_picture ? " of the picture" : ""}` : null],
      [agreesWithPicture(), best.enhanced && `${number(best.enhanced.lr_consistency_db, 1)} dB`],
    ]));
  }
}
