// Settings of the service as a form that is made from their values.

import { call, get, url } from "./api.js";
import { h } from "./dom.js";
import { state } from "./store.js";
import { attempt, dialog, field, toast } from "./ui.js";
import { spaced } from "./words.js";

export function settingsDialog() {
  attempt(null, async () => {
    const settings = await get(url("settings"));
    dialog("Settings", (close) => {
      const save = h("button", { class: "primary" }, "Save");
      const form = h("form", { class: "body", onsubmit: async (event) => {
        event.preventDefault();
        const changes = changed(form, settings.values);
        if (!Object.keys(changes).length) return close();
        return attempt(save, async () => {
          state.settings = (await call("PATCH", url("settings"), changes)).values;
          toast("Saved. The streams go on with the new settings within seconds.", "done");
          close();
        });
      } },
      h("p", { class: "where" }, `Profile: ${settings.profile}. A change interrupts all streams for a few seconds.`),
      Object.entries(settings.values).map(([key, value]) => control(key, value)),
      h("div", { class: "row end" }, h("button", { type: "button", onclick: close }, "Cancel"), save));
      return form;
    }, true);
  });
}

function control(key, value) {
  const label = spaced(key.replace(".", ": "));
  if (typeof value === "boolean") return h("label", { class: "check" }, h("input", { type: "checkbox", name: key, checked: value }), label);
  if (typeof value === "number") return field(label, h("input", { type: "number", step: "any", name: key, value }));
  return field(label, h("input", { name: key, value: value === null ? "" : typeof value === "string" ? value : JSON.stringify(value) }));
}

function changed(form, before) {
  const changes = {};
  for (const [key, was] of Object.entries(before)) {
    const input = form.elements[key];
    const is = read(input, was);
    if (JSON.stringify(is) !== JSON.stringify(was)) changes[key] = is;
  }
  return changes;
}

function read(input, was) {
  if (typeof was === "boolean") return input.checked;
  const text = input.value.trim();
  if (typeof was === "string") return text;
  if (text === "") return null;
  try {
    return JSON.parse(text); // numbers and lists; null was empty
  } catch {
    return text;
  }
}
