// All nodes of the fleet and their cameras, as the fleet's database knows them: what is wrong comes first.

import { get, url } from "./api.js";
import { badge, facts, figures, fill, h, keep, said, say, table } from "./dom.js";
import { duration, millis, noun, number, plural } from "./words.js";

const EVERY_MS = 2000;
const MOST_CAMERAS = 60;
const STANDINGS = { missing: ["refused", "gone"], late: ["undecided", "does not answer"], up: ["known", "up"] };
const URGENCY = ["missing", "late", "up"];

/** Nodes in the order in which somebody should look at them. */
export function ordered(nodes) {
  return [...nodes].sort((a, b) => URGENCY.indexOf(a.standing) - URGENCY.indexOf(b.standing) || a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** What of a node's address may be a link. */
export function linkOf(address) {
  try {
    const parsed = new URL(address);
    return ["http:", "https:"].includes(parsed.protocol) ? parsed.href : "";
  } catch {
    return "";
  }
}

export function nodesView(root, signal) {
  const note = h("div");
  const top = h("div", { class: "figures" });
  const unread = h("section", { class: "card", hidden: true, "aria-labelledby": "unread-title" }, h("h2", { id: "unread-title" }, "Cameras that nobody reads"), h("div"));
  const cards = h("div", { class: "parts" });
  const kept = new Map();
  const empty = h("p", { class: "empty" }, "Asking for the fleet …");
  let drawn = "";
  let noted = "";
  let timer = 0;
  fill(root, h("div", { class: "head" }, h("h1", null, "Nodes")), note, top, unread, empty, cards);
  signal.addEventListener("abort", () => clearTimeout(timer));

  function update({ fleet, age_seconds: age, problem, node: here }) {
    const words = problem ? [`${problem}.`, fleet ? ` What is shown is ${duration(age)} old; nodes keep their cameras meanwhile.` : " Nothing is known of the fleet yet."]
      : fleet && !fleet.quorum ? [`No camera is placed until half of the nodes have been there for ${number(fleet.lease_seconds)} s.`] : [];
    const text = words.join("");
    if (noted !== text) fill(note, (noted = text) && h("p", { class: "notice", role: "status" }, said(text)));
    if (!fleet) return say(empty, problem ? "" : "Asking for the fleet …");
    const waiting = fleet.cameras.filter((camera) => camera.wanted);
    say(empty, fleet.nodes.length ? "" : "No node was ever here: start one with a section fleet in its configuration.");
    const key = JSON.stringify([fleet.nodes.map((node) => [node.name, node.standing]), waiting.map((camera) => [camera.name, camera.reason])]);
    fill(top, figures([[`${number(fleet.nodes.filter((node) => node.standing === "up").length)} of ${number(fleet.nodes.length)}`, "nodes up"],
      [number(fleet.cameras.length), noun(fleet.cameras.length, "camera")], [number(waiting.length), "nobody reads"]]));
    if (key !== drawn) {
      drawn = key;
      unread.hidden = !waiting.length;
      fill(unread.lastElementChild, table("Cameras that nobody reads", ["camera", "node", "why"], waiting.slice(0, MOST_CAMERAS).map((camera) =>
        [camera.name, camera.node || "none", camera.reason || "It is about to be read."])),
      waiting.length > MOST_CAMERAS && h("p", { class: "where" }, `and ${plural(waiting.length - MOST_CAMERAS, "other camera")}`));
    }
    const of = new Map(fleet.nodes.map((node) => [node.name, []]));
    for (const camera of fleet.cameras) of.get(camera.node)?.push(camera);
    keep(cards, kept, ordered(fleet.nodes), (node) => node.name, () => h("section", { class: "card node" }), (card, node) => {
      const cameras = of.get(node.name);
      const now = JSON.stringify([node, cameras.map((camera) => [camera.name, camera.holder])]);
      if (card.dataset.shown === now) return;
      card.dataset.shown = now;
      const open = card.querySelector("details")?.open;
      fill(card, ...content(node, cameras, node.name === here));
      const details = card.querySelector("details");
      if (details && open) details.open = true;
    });
    return undefined;
  }

  async function ask() {
    try {
      update(await get(url("fleet"), signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      noted = error.message;
      fill(note, h("p", { class: "notice", role: "status" }, said(noted)));
    }
    if (!signal.aborted) timer = setTimeout(ask, EVERY_MS);
  }
  ask();
}

function content(node, cameras, isHere) {
  const { about = {}, load = {} } = node;
  const address = linkOf(about.console ?? "");
  const gone = node.standing !== "up";
  const labels = Object.entries(about.labels ?? {}).map(([name, value]) => `${name}=${value}`).join(", ");
  const pairs = [
    ["cameras", about.capacity ? `${number(node.cameras)} of ${number(about.capacity)}` : number(node.cameras)],
    gone ? ["last heard of", `${duration(node.renewed_seconds)} ago`] : ["processors in use", `${number(100 * (load.cpu_share ?? 0))} %`],
    !gone && ["packet to message, p99", millis(load.p99_ms)],
    ["labels", labels], ["version", about.version],
  ].filter((pair) => pair && pair[1]);
  return [
    h("div", { class: "head" }, h("h2", { class: "title" }, node.name), badge(...STANDINGS[node.standing]), node.drained && badge("undecided", "drained"),
      !gone && load.overload_level > 0 && badge("refused", "overloaded"), !gone && !load.ready && badge("undecided", "not ready"),
      isHere ? badge("none", "this one") : address && h("a", { href: address, rel: "noreferrer" }, "Its console")),
    facts(pairs),
    cameras.length > 0 && h("details", null, h("summary", null, plural(cameras.length, "camera")),
      h("ul", { class: "names" }, cameras.map((camera) => h("li", { class: camera.holder === node.name ? "" : "waits" }, camera.name)))),
  ];
}
