// Who is in the gallery.

import { can, get, url } from "./api.js";
import { fill, h, say } from "./dom.js";
import { enrolDialog } from "./enrol.js";
import { showQuarantine } from "./quarantine.js";
import { attempt } from "./ui.js";
import { plural } from "./words.js";

const MOST = 300;

export function peopleView(root, signal) {
  let people = [];
  let filter = "";
  const list = h("ul", { class: "people" });
  const count = h("span", { class: "where", role: "status" });
  const where = h("p", { class: "where" });
  const apart = h("section", { class: "apart" });
  const load = () => attempt(null, async () => {
    const answer = await get(url("people"), signal);
    people = answer.people;
    say(where, answer.gallery ? `Gallery: ${answer.gallery}` : "");
    render();
  });
  const loadAll = () => {
    load();
    if (can("enrol")) attempt(null, () => showQuarantine(apart, signal, load));
  };
  function render() {
    const wanted = people.filter((person) => person.name.toLowerCase().includes(filter));
    say(count, wanted.length > MOST ? `the first ${MOST} of ${plural(wanted.length, "person", "people")}` : plural(wanted.length, "person", "people"));
    fill(list, wanted.slice(0, MOST).map((person) => h("li", null, h("a", { class: "card person", href: `#/person/${encodeURIComponent(person.name)}` },
      h("b", null, person.name), h("span", { class: "where" }, plural(person.pictures, "picture"),
        person.wrong_names ? `, ${plural(person.wrong_names, "wrong name")} marked` : "")))),
    people.length > 0 && !wanted.length && h("li", { class: "empty" }, "Nobody is called so."),
    !people.length && h("li", { class: "empty" }, can("enrol")
      ? "Nobody is enrolled yet, so nobody can be named. Enrol somebody with a few pictures." : "Nobody is enrolled yet."));
  }
  fill(root, h("div", { class: "head" }, h("h1", null, "People"), count,
    h("input", { type: "search", class: "small", placeholder: "Find a person", "aria-label": "Find a person",
      oninput: (event) => { filter = event.target.value.trim().toLowerCase(); render(); } }),
    can("enrol") && [h("button", { type: "button", class: "primary", onclick: () => enrolDialog("", [], loadAll) }, "Enrol somebody"),
      h("a", { class: "button", href: "#/strangers" }, "Strangers who came back")]),
  apart, list, where);
  loadAll();
}
