// Pictures that were set apart at enrolment: nobody is compared with them until somebody has looked.

import { call, get, url } from "./api.js";
import { fill, h } from "./dom.js";
import { drawBase64 } from "./pictures.js";
import { attempt, confirm, toast } from "./ui.js";
import { plural } from "./words.js";

const MOST = 20;

/** Show them under a heading; nothing where there are none. `changed`: called after one was enrolled. */
export async function showQuarantine(box, signal, changed) {
  const { pictures } = await get(url("quarantine"), signal);
  const again = () => attempt(null, () => showQuarantine(box, signal, changed));
  fill(box, pictures.length > 0 && [
    h("h2", { id: "apart-title" }, "Set apart"),
    h("p", { class: "where" }, `${plural(pictures.length, "picture")} at which somebody has to look first: nobody is compared with ${pictures.length === 1 ? "it" : "them"}.`,
      pictures.length > MOST && ` These are the first ${MOST}.`),
    h("ul", { class: "uploads", "aria-labelledby": "apart-title" }, pictures.slice(0, MOST).map((one) => row(one, again, changed)))]);
}

function row(one, again, changed) {
  const canvas = h("canvas", { role: "img", "aria-label": one.portrait ? `${one.file}, given for ${one.name}` : "No picture was kept" });
  if (one.portrait) drawBase64(canvas, one.portrait).catch(() => {});
  const said = `${one.file ? `${one.file}: it` : "It"} ${one.reason}.${one.portrait ? "" : " No picture of it was kept."}`;
  return h("li", null, canvas, h("div", null, h("b", null, one.name), h("div", null, said),
    h("div", { class: "row" },
      h("button", { type: "button", class: "small", onclick: async (event) => {
        if (!(await attempt(event.currentTarget, () => decide(one, "release")))) return;
        toast(`The picture is enrolled for ${one.name}.`, "done");
        again();
        changed();
      } }, `It is ${one.name}: enrol it`),
      h("button", { type: "button", class: "small", onclick: async (event) => {
        const button = event.currentTarget;
        if (!(await confirm("Forget this picture?", `What was set apart for ${one.name} is gone then; the picture can be given again.`, "Forget it"))) return;
        if (await attempt(button, () => decide(one, "drop"))) again();
      } }, "Forget it"))));
}

const decide = (one, what) => call("POST", url("quarantine", one.picture, what), { name: one.name });
