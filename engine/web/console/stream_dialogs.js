// Streams are added, changed, paused and removed here.

import { call, url } from "./api.js";
import { facts, fill, h, options, said } from "./dom.js";
import { drawBase64 } from "./pictures.js";
import { READABLE, attempt, confirm, dialog, field, toast, values } from "./ui.js";
import { number, plural } from "./words.js";

const TRANSPORTS = ["tcp", "udp"];
const TURNS = [["0", "as it is"], ["90", "90° clockwise"], ["180", "180°"], ["270", "270° clockwise"], ["flip", "top to bottom"],
  ["mirror", "left to right"]];

export async function pauseOrResume(stream, button) {
  await attempt(button, () => call("POST", url("streams", stream.name, stream.paused ? "resume" : "pause")));
}

export async function removeStream(stream) {
  if (!(await confirm(`Remove ${stream.name}?`, "Its settings are forgotten. What it has already given stays in the timeline.", "Remove"))) return;
  await attempt(null, async () => {
    await call("DELETE", url("streams", stream.name));
    toast(`${stream.name} was removed.`, "done");
  });
}

export function addDialog() {
  dialog("Add a stream", (close, signal) => {
    const seen = h("div", { class: "probe", "aria-live": "polite" });
    const look = h("button", { type: "button" }, "Look first");
    const add = h("button", { class: "primary" }, "Add");
    const form = h("form", { class: "body", onsubmit: async (event) => {
      event.preventDefault();
      const source = sourceOf(form);
      if (await attempt(add, () => call("POST", url("streams"), { source }))) {
        toast("The stream was added. Its first picture arrives in a few seconds.", "done");
        close();
      }
    } },
    field("Address", h("input", { name: "uri", required: true, autofocus: true, spellcheck: "false", autocomplete: "off", ...READABLE,
      placeholder: "rtsp://192.0.2.10/stream1", inputmode: "url" }), "It begins with rtsp, rtsps, http, https, srt or rtmp"),
    field("Name", h("input", { name: "name", pattern: "[A-Za-z0-9_.\\-]{1,64}", autocomplete: "off", placeholder: "entrance",
      title: "1 to 64 characters: letters, digits, _ . -" }), "Letters, digits, _ . and -. Left empty, it is made from the address."),
    login(),
    h("p", { class: "where" }, "Kept in a file that only the service reads, and shown to nobody."),
    moreFields({}),
    seen,
    h("div", { class: "row end" }, look, add));
    look.addEventListener("click", async () => {
      if (!form.reportValidity()) return;
      fill(seen, h("p", { class: "where" }, "Looking for a few seconds …"));
      const done = await attempt(look, async () => showProbe(seen, await call("POST", url("probe"), { source: sourceOf(form) }, signal)));
      if (!done) fill(seen);
    });
    return form;
  });
}

export function changeDialog(stream) {
  dialog(`Change ${stream.name}`, (close) => {
    const save = h("button", { class: "primary" }, "Save");
    const form = h("form", { class: "body", onsubmit: async (event) => {
      event.preventDefault();
      const changes = differences(stream.source, sourceOf(form));
      if (!Object.keys(changes).length) return close();
      if (await attempt(save, () => call("PATCH", url("streams", stream.name), changes))) {
        toast(`${stream.name} was changed; no other stream was disturbed.`, "done");
        close();
      }
    } },
    field("Address", h("input", { name: "uri", required: true, value: stream.source.uri, spellcheck: "false", autofocus: true })),
    login("Empty: as before"),
    moreFields(stream.source, true),
    h("div", { class: "row end" }, h("button", { type: "button", onclick: close }, "Cancel"), save));
    return form;
  });
}

const login = (hint) => h("div", { class: "two" }, field("User", h("input", { name: "user", autocomplete: "off" }), hint),
  field("Password", h("input", { name: "password", type: "password", autocomplete: "new-password" })));

function moreFields(source, open = false) {
  const select = (name, pairs, value) => {
    const node = h("select", { name }, options(pairs));
    node.value = value;
    return node;
  };
  return h("details", { open }, h("summary", null, "More settings"), h("div", { class: "two inner" },
    field("Transport", select("transport", TRANSPORTS.map((one) => [one, one.toUpperCase()]), source.transport ?? "tcp"), "RTSP only"),
    field("Turn the picture", select("rotate", TURNS, String(source.rotate ?? 0))),
    field("Detections per second", h("input", { name: "detect_fps", type: "number", min: 0.1, max: 60, step: "any",
      value: source.detect_fps ?? "" }), "At most; empty: the default"),
    field("No pictures for", h("input", { name: "stall_seconds", type: "number", min: 1, step: "any", value: source.stall_seconds ?? "" }),
      "Seconds until it is connected anew; empty: the default"),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "silent_by_design", checked: source.silent_by_design ?? false }),
      "Sends only when something happens: silence is no fault")));
}

/** The form as a SourceConfig. User and password go into the address; the service puts them into a file. */
function sourceOf(form) {
  const { uri, name, user, password, transport, rotate, detect_fps, stall_seconds } = values(form);
  const source = { uri, transport, rotate: /^\d+$/.test(rotate) ? Number(rotate) : rotate };
  if (name) source.name = name;
  if (user) source.uri = uri.replace(/^(\w+:\/\/)(?:[^/@]*@)?/, `$1${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`);
  if (detect_fps) source.detect_fps = Number(detect_fps);
  if (stall_seconds) source.stall_seconds = Number(stall_seconds);
  source.silent_by_design = form.elements.silent_by_design.checked;
  return source;
}

/** Only what is another than before; what was emptied becomes null, which is the default. */
function differences(before, after) {
  const changes = {};
  for (const key of ["uri", "transport", "rotate", "detect_fps", "stall_seconds", "silent_by_design"]) {
    const value = after[key] ?? null;
    if (value !== (before[key] ?? null)) changes[key] = value;
  }
  return changes;
}

async function showProbe(box, probed) {
  const canvas = h("canvas", { role: "img", "aria-label": `A picture of it, ${plural(probed.faces.length, "face")}` });
  fill(box, probed.picture && canvas,
    probed.advice && h("p", { class: "advice" }, said(probed.advice)),
    facts([["address", probed.shown], ["codec", probed.codec], ["picture", `${probed.width_px} × ${probed.height_px} px`],
      ["pictures/s", number(probed.fps, 1)], ["faces", number(probed.faces.length)],
      ["largest face seen", probed.faces.length ? `${number(Math.max(...probed.faces.map((face) => Math.sqrt(face.width * face.height))))} px` : null]]));
  if (!probed.picture) return;
  await drawBase64(canvas, probed.picture, { boxes: probed.faces, width: probed.width_px, height: probed.height_px });
}
