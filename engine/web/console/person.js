// One person: pictures, and the tracks that were named so.

import { call, can, get, url } from "./api.js";
import { facts, fill, h } from "./dom.js";
import { enrolDialog } from "./enrol.js";
import { trackList } from "./track_list.js";
import { PERSON, attempt, confirm, dialog, field, toast } from "./ui.js";
import { number } from "./words.js";

export function personView(root, signal, [name]) {
  const about = h("div");
  const tracks = h("div");
  const load = () => attempt(null, async () => {
    const person = (await get(url("people"), signal)).people.find((one) => one.name === name);
    fill(about, person ? facts([["pictures", number(person.pictures)], ["wrong names marked", number(person.wrong_names ?? 0)]])
      : h("p", { class: "notice" }, `${name} is not in the gallery (any more).`));
  });
  fill(root, h("p", null, h("a", { class: "back", href: "#/people" }, "← People")),
    h("div", { class: "head" }, h("h1", null, h("bdi", null, name)),
      can("enrol") && [
        h("button", { type: "button", class: "primary", onclick: () => enrolDialog(name, [], load) }, "Add pictures"),
        h("button", { type: "button", onclick: () => renameDialog(name) }, "Rename"),
        h("button", { type: "button", onclick: (event) => remove(name, event.currentTarget) }, "Remove")]),
    about, h("section", { "aria-labelledby": "tracks-title" }, h("h2", { id: "tracks-title" }, "Seen as"), tracks));
  load();
  trackList(tracks, { person: name }, signal, `Nobody was named ${name} in what is kept.`);
}

function renameDialog(name) {
  dialog(`Rename ${name}`, (close) => {
    const input = h("input", { name: "new_name", value: name, autofocus: true, ...PERSON });
    const button = h("button", { class: "primary" }, "Rename");
    return h("form", { class: "body", onsubmit: async (event) => {
      event.preventDefault();
      const renamed = input.value.trim();
      if (renamed === name) return close();
      let done = "";
      await attempt(button, async () => { done = await rename(name, renamed); });
      if (!done) return undefined;
      close();
      toast(done, "done");
      location.hash = `#/person/${encodeURIComponent(renamed)}`;
      return undefined;
    } }, field("New name", input),
    h("div", { class: "row end" }, h("button", { type: "button", onclick: close }, "Cancel"), button));
  });
}

/** Returns what was done; empty: nothing, as somebody has the name who is another person. */
async function rename(name, renamed) {
  const ask = (join) => call("POST", url("people", name, "rename"), { new_name: renamed, join });
  try {
    await ask(false);
    return `${name} is now called ${renamed}.`;
  } catch (error) {
    if (error.code !== "conflict") throw error;
  }
  if (!(await confirm(`Join ${name} with ${renamed}?`,
    `${renamed} is in the gallery already. If both are the same person they become one, which cannot be undone; else choose another name.`,
    "They are one: join them"))) return "";
  await ask(true);
  return `${name} and ${renamed} are one person now.`;
}

async function remove(name, button) {
  if (!(await confirm(`Remove ${name}?`, `All pictures of ${name} leave the gallery, and nobody gets this name any more. Tracks of the past keep it.`, "Remove"))) return;
  if (await attempt(button, () => call("DELETE", url("people", name)))) {
    toast(`${name} was removed.`, "done");
    location.hash = "#/people";
  }
}
