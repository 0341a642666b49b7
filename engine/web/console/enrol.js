// Enrolment: pictures of one person, each with a verdict on its quality.

import { call, url } from "./api.js";
import { badge, fill, h, said } from "./dom.js";
import { draw } from "./pictures.js";
import { photoInput } from "./photo_input.js";
import { PERSON, attempt, dialog, field, toast } from "./ui.js";
import { number, plural } from "./words.js";

const MOST = 40;
const OUTCOMES = { enrolled: "known", duplicate: "undecided", quarantined: "undecided", refused: "refused" };
const WORDS = { quarantined: "set apart" };

/** `name`: of somebody who is enrolled, empty for somebody new. `first`: files to begin with. `done`: called after one went into the gallery, or was set apart. */
export function enrolDialog(name = "", first = [], done = () => {}) {
  dialog(name ? `More pictures of ${name}` : "Enrol somebody", (close, signal) => {
    const pictures = []; // {file, row, verdict}
    const list = h("ul", { class: "uploads" });
    const status = h("p", { class: "where", role: "status" }, "No picture chosen yet.");
    const who = h("input", { name: "name", value: name, readonly: Boolean(name), autocomplete: "off", autofocus: !name, ...PERSON });
    const button = h("button", { class: "primary" }, "Enrol");
    const add = (files) => {
      if (pictures.length + files.length > MOST) return toast(`At most ${MOST} pictures at a time.`);
      files.forEach((file) => pictures.push(row(file, list)));
      fill(status, `${plural(pictures.length, "picture")} chosen.`);
      return undefined;
    };
    const form = h("form", { class: "body", onsubmit: async (event) => {
      event.preventDefault();
      const waiting = pictures.filter((one) => one.verdict !== "enrolled" && one.verdict !== "duplicate");
      if (!waiting.length) return toast("Choose a picture first.");
      let enrolled = 0;
      const whole = await attempt(button, async () => {
        for (const one of waiting) {
          if (signal.aborted) return;
          if (await send(who.value.trim(), one)) enrolled++;
        }
      });
      if (enrolled || pictures.some((one) => one.verdict === "quarantined")) done();
      if (enrolled) who.readOnly = true;
      if (whole) fill(status, `${plural(enrolled, "picture")} of ${waiting.length} enrolled.`);
      return undefined;
    } },
    field("Name", who),
    h("p", { class: "where" }, "Sharp, from the front, one person in it, and rather three pictures than one."),
    photoInput(add), list, status,
    h("div", { class: "row end" }, h("button", { type: "button", onclick: close }, "Close"), button));
    if (first.length) add(first);
    return form;
  }, true);
}

function row(file, list) {
  const canvas = h("canvas", { role: "img", "aria-label": file.name });
  const verdict = h("div", { class: "verdict" });
  const node = h("li", null, canvas, h("div", null, h("b", null, file.name), verdict));
  list.append(node);
  draw(canvas, file).catch(() => fill(verdict, h("span", { class: "where" }, "This browser cannot show it; the service may still read it.")));
  return { file, box: verdict, verdict: "" };
}

/** A reason that stands beside the name of its file. */
function without(file, reason) {
  if (reason.startsWith(`${file}: `)) return reason.slice(file.length + 2);
  return reason.startsWith(`${file} `) ? `it ${reason.slice(file.length + 1)}` : reason;
}

/** Send one picture and show what became of it; returns whether it was enrolled. `force`: though it is a poor one. */
async function send(name, picture, force = false) {
  fill(picture.box, h("span", { class: "where" }, "Being looked at …"));
  let answer;
  try {
    answer = await call("POST", `${url("people", name)}?file=${encodeURIComponent(picture.file.name)}${force ? "&force=1" : ""}`, picture.file);
  } catch (error) {
    if (error.code !== "refused" && error.code !== "too_large") {
      fill(picture.box);
      throw error;
    }
    answer = { pictures: [{ outcome: "refused", reason: error.message }] };
  }
  const { outcome, reason, quality } = answer.pictures[0];
  picture.verdict = outcome;
  fill(picture.box, badge(OUTCOMES[outcome] ?? "", WORDS[outcome] ?? outcome), " ", reason && said(without(picture.file.name, reason)),
    quality && h("div", { class: "where" }, `${number(quality.size_px)} px, sharpness ${number(quality.sharpness, 2)}, frontal ${number(quality.frontal, 2)}`),
    ["refused", "quarantined"].includes(outcome) && quality && h("button", { type: "button", class: "small",
      onclick: (event) => attempt(event.currentTarget, () => send(name, picture, true)) }, outcome === "quarantined" ? `It is ${name}: enrol it` : "Enrol it anyway"));
  return outcome === "enrolled";
}
