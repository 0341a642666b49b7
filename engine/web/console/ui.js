// What several views share: notes to the user, dialogs, the theme.

import { fill, h, options, said } from "./dom.js";

const TOAST_MS = 7000;
const MOST_TOASTS = 3;

/** Notes stand in the dialog that was opened last: nothing outside a modal one is read aloud or can be clicked. */
function placeNotes() {
  const box = document.getElementById("toasts");
  const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (box.parentElement !== place) place.append(box);
  return box;
}

/** Show a note, and have it read aloud. `kind`: "error" or "done". */
export function toast(text, kind = "error") {
  const box = placeNotes();
  const note = h("div", { class: `toast ${kind}` }, h("span", null, kind === "error" ? said(text) : text),
    h("button", { type: "button", class: "plain", "aria-label": "Close this note", onclick: () => note.remove() }, "×"));
  box.append(note);
  while (box.children.length > MOST_TOASTS) box.firstElementChild.remove();
  setTimeout(() => note.remove(), TOAST_MS);
}

let spokenAt = 0;
/** Tell a screen reader what happened without being asked; at most one thing every few seconds. */
export function announce(text) {
  const now = Date.now();
  if (now - spokenAt < 4000) return;
  spokenAt = now;
  document.getElementById("announce").textContent = text;
}

/** Run what a button stands for: the button is busy meanwhile, and an error is shown. Returns false where it failed. */
export async function attempt(button, work) {
  if (button) button.setAttribute("aria-busy", "true");
  if (button) button.disabled = true;
  document.querySelectorAll(".toast.error").forEach((note) => note.remove()); // of the try before
  try {
    await work();
    return true;
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
    return false;
  } finally {
    if (button) button.disabled = false;
    button?.removeAttribute("aria-busy");
  }
}

let named = 0;
/** Open a dialog. `build(close, dialog)` returns what is in it. Escape closes it, and the focus goes back to where it was. */
export function dialog(title, build, wide = false) {
  const before = document.activeElement;
  const id = `dialog-${++named}`;
  const over = new AbortController();
  const node = h("dialog", { "aria-labelledby": id, class: wide ? "wide" : "" });
  const close = () => node.close();
  node.addEventListener("close", () => {
    over.abort();
    placeNotes();
    node.remove();
    if (before?.isConnected) before.focus();
  });
  fill(node, h("header", null, h("h2", { id }, title),
    h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: close }, "×")), build(close, over.signal));
  document.body.append(node);
  node.showModal();
  node.querySelector("[autofocus], input, select, main button")?.focus();
  return { node, close, signal: over.signal };
}

/** Ask before something that cannot be undone; resolves to true or false. */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    let answer = false;
    const shown = dialog(title, (close) => h("div", { class: "body" }, h("p", null, text), h("div", { class: "row end" },
      h("button", { type: "button", autofocus: true, onclick: close }, "Cancel"),
      h("button", { type: "button", class: "danger", onclick: () => { answer = true; close(); } }, action))));
    shown.node.addEventListener("close", () => resolve(answer));
  });
}

/** Of an input that must hold more than blanks. */
export const READABLE = { pattern: ".*\\S.*", title: "More than blanks" };
/** Of one for a person's name. */
export const PERSON = { ...READABLE, required: true, maxlength: 200 };

/** A control with its label, and a hint that is read after it. */
export function field(label, control, hint = "") {
  const id = `field-${++named}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, hint && h("small", { id: `${id}-hint` }, hint));
}

/** The form's values by name; empty ones are left out. */
export function values(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value));
}

const THEMES = ["system", "light", "dark"];
export function themeSwitch() {
  const current = () => document.documentElement.dataset.theme ?? "system";
  const select = h("select", { "aria-label": "Theme", class: "small", onchange: () => {
    if (select.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = select.value;
    localStorage.setItem("theme", select.value);
  } }, options(THEMES.map((theme) => [theme, `Theme: ${theme}`])));
  select.value = current();
  return select;
}
