// The page: who is signed in, which view is shown, what the bar says.

import { get, onSignedOut, recall, session, signOut, url } from "./api.js";
import * as feed from "./feed.js";
import { fill, h, say } from "./dom.js";
import { changed, forget, listen, state } from "./store.js";
import { announce, attempt, themeSwitch, toast } from "./ui.js";
import { isTrouble, standing } from "./words.js";
import { signInView } from "./sign_in.js";
import { liveView } from "./live.js";
import { timelineView } from "./timeline.js";
import { trackView } from "./track.js";
import { peopleView } from "./people.js";
import { personView } from "./person.js";
import { nodesView } from "./nodes.js";
import { searchView } from "./search.js";
import { healthView } from "./health.js";
import { strangersView } from "./strangers.js";
import { whyView } from "./why_view.js";

/** First part of the address after `#/`: [view, title, whether it stands in the bar]. */
const VIEWS = {
  live: [liveView, "Live", true],
  timeline: [timelineView, "Timeline", true],
  people: [peopleView, "People", true],
  search: [searchView, "Search", true],
  nodes: [nodesView, "Nodes", true],
  health: [healthView, "Health", true],
  track: [trackView, "Track", false],
  person: [personView, "Person", false],
  strangers: [strangersView, "Strangers", false],
  why: [whyView, "Why no face?", false],
};
const main = document.getElementById("main");
let shown = new AbortController();
let signedIn = false;

function show() {
  shown.abort();
  shown = new AbortController();
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("?")[0].split("/").map(decodeURIComponent);
  const key = Object.hasOwn(VIEWS, name) ? name : "live";
  const [view, title] = VIEWS[key];
  document.title = `${title} · facestream`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.view === key) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  fill(main);
  main.dataset.view = key;
  scrollTo(0, 0);
  view(main, shown.signal, rest);
}

function start() {
  signedIn = true;
  document.body.classList.add("in");
  fill(document.getElementById("nav"), Object.entries(VIEWS).filter(([key, [, , inBar]]) => inBar && (key !== "nodes" || session.fleet)).map(([key, [, title]]) =>
    h("a", { href: `#/${key}`, "data-view": key }, title)));
  fill(document.getElementById("tools"), themeSwitch(), h("button", { type: "button", class: "small",
    onclick: (event) => attempt(event.currentTarget, signOut).then(stop), title: `Signed in as ${session.name}` }, "Sign out"));
  feed.open();
  get(url("settings")).then((settings) => { state.settings = settings.values ?? {}; changed("face"); }, () => {});
  show();
}

function stop() {
  signedIn = false;
  feed.close();
  forget();
  shown.abort();
  shown = new AbortController();
  document.body.classList.remove("in");
  document.querySelectorAll("dialog").forEach((open) => open.close());
  fill(document.getElementById("nav"));
  fill(document.getElementById("tools"), themeSwitch());
  say(document.getElementById("pulse"), "");
  signInView(main, start);
}

/** What the bar says in a few words, and what a screen reader is told of streams that come and go. */
let before = new Map();
function pulse() {
  if (!signedIn) return;
  const node = document.getElementById("pulse");
  const { status, link } = state;
  const troubled = [...state.streams.values()].filter(isTrouble);
  let [kind, text] = ["", "Connecting …"];
  if (link === "lost") [kind, text] = ["bad", "The service cannot be reached"];
  else if (status?.state === "stopping") [kind, text] = ["fair", "The service is stopping"];
  else if (status && !status.ready) [kind, text] = ["fair", "Starting up"];
  else if (troubled.length) [kind, text] = ["fair", `${troubled.length} in trouble`];
  else if (status?.overload_level) [kind, text] = ["fair", "Overloaded"];
  else if (status) [kind, text] = ["good", "All well"];
  node.dataset.kind = kind;
  say(node, text);
  if (link === "lost") return; // nothing is known to have changed
  const now = new Map([...state.streams.values()].map((stream) => [stream.name, standing(stream)]));
  for (const [name, is] of now) {
    const was = before.get(name);
    if (!was || was === is) continue;
    if (is === "live") announce(was === "connecting" ? `${name} is live.` : `${name} is live again.`);
    else if (is === "stalled" || is === "failed") announce(`${name} has stopped sending pictures.`);
  }
  before = now;
}

onSignedOut(() => signedIn && stop());
addEventListener("signedout", () => signedIn && stop());
addEventListener("hashchange", () => {
  if (!signedIn) return;
  show();
  main.focus({ preventScroll: true });
});
listen(["status", "link"], pulse, new AbortController().signal);

try {
  if (await recall()) start();
  else stop();
} catch (error) {
  stop();
  toast(error.message);
}
