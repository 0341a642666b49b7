// How the service stands: stages, processes, what was dropped and why, and the log.

import { call, can, url } from "./api.js";
import { badge, figures, fill, h, options, said, table } from "./dom.js";
import { listen, state } from "./store.js";
import { attempt, confirm, toast } from "./ui.js";
import { settingsDialog } from "./settings.js";
import { clock, day, duration, millis, noun, number, plural, rate, spaced, stageName, stagesOf, zone } from "./words.js";

const LEVELS = { info: "none", warning: "undecided", error: "refused" };
const PARTS = [
  ["Stages", (status) => table("Stages", ["stage", "per second", "p50", "p99", "waiting"], stagesOf(status.stages).map((name) => {
    const one = status.stages[name];
    return [stageName(name), rate(one.items_per_second), millis(one.p50_ms), millis(one.p99_ms), number(one.queue_depth)];
  }), "No stage has reported yet.")],
  ["Processes", (status) => table("Processes", ["process", "state", "restarts", "pid"], (status.workers ?? []).map((one) =>
    [one.name, badge(one.alive ? "known" : "refused", one.alive ? "running" : "dead"), number(one.restarts), one.pid ? String(one.pid) : "–"]))],
  ["Dropped, by cause", (status) => counts("Dropped, by cause", status.drops, "Nothing was dropped.")],
  ["Errors, by stage", (status) => counts("Errors, by stage", status.errors, "No errors.")],
  ["Models", (status) => table("Models", ["stage", "model and runtime"], Object.entries(status.models ?? {}).map(([name, text]) => [stageName(name), text]))],
  ["Counters", (status) => counts("Counters", status.counters, "Nothing was counted yet.")],
];

const counts = (caption, values, empty) => table(caption, ["what", "count"],
  Object.entries(values ?? {}).filter(([, count]) => count).sort(([, a], [, b]) => b - a).map(([name, count]) => [spaced(name), number(count)]), empty);

export function healthView(root, signal) {
  let level = "info";
  const top = h("div", { class: "figures" });
  const note = h("div");
  const boxes = PARTS.map(([title]) => h("section", { class: "card" }, h("h2", null, title), h("div")));
  const log = h("div", { class: "log" });
  const shown = PARTS.map(() => "");
  fill(root,
    h("div", { class: "head" }, h("h1", null, "Health"), can("operate") && acts()),
    note, top, h("div", { class: "parts" }, boxes),
    h("section", { class: "card" }, h("div", { class: "head" }, h("h2", null, "Log"),
      h("select", { class: "small", "aria-label": "Which lines", onchange: (event) => { level = event.target.value; lines(); } },
        options([["info", "all"], ["warning", "warnings and errors"], ["error", "errors"]]))), log));

  function update() {
    const { status } = state;
    if (!status) return fill(note, h("p", { class: "empty" }, "Waiting for the service …"));
    fill(note, state.link === "lost" && h("p", { class: "notice" }, "The service cannot be reached: what is shown is old."), !status.ready && h("p", { class: "notice" }, said(status.ready_detail || "The models are being loaded.")),
      status.overload_level > 0 && h("p", { class: "notice" }, "The machine is too slow for all of this: fewer faces are enhanced, and streams are looked at less often."));
    const streams = (status.streams ?? []).length;
    const restarts = (status.workers ?? []).reduce((sum, one) => sum + one.restarts, 0);
    fill(top, figures([[status.state, "service"], [duration(status.uptime_seconds), "up for"], [number(streams), noun(streams, "stream")],
      [number(restarts), noun(restarts, "restart")], [String(status.overload_level), "overload level"],
      [status.version, "version"]]));
    PARTS.forEach(([, build], index) => {
      // A table that stays the same stays where it is: with its scroll and its focus.
      const node = build(status);
      if (node.textContent === shown[index]) return;
      shown[index] = node.textContent;
      fill(boxes[index].lastElementChild, node);
    });
    lines();
    return undefined;
  }
  let last = "";
  function lines() {
    const order = ["info", "warning", "error"];
    const wanted = [...state.events.entries()].filter(([, event]) => order.indexOf(event.level) >= order.indexOf(level)).reverse();
    const key = `${level}/${wanted[0]?.[0]}/${wanted.length}`; // a line that is counted once more has another number
    if (key === last) return;
    last = key;
    fill(log, table("Log, the newest first", [`time (${zone(Date.now())})`, "level", "what", "more"], wanted.map(([, event]) => [`${day(event.time_ns / 1e6)}, ${clock(event.time_ns / 1e6)}`,
      badge(LEVELS[event.level], event.level), event.times > 1 ? `${spaced(event.name)}, ${number(event.times)} times` : spaced(event.name), Object.entries(event.fields ?? {}).map(([name, value]) => `${spaced(name)} ${value}`).join(", ")]), "Nothing happened yet."));
  }
  listen(["status", "link"], update, signal);
  update();
}

function acts() {
  const level = h("select", { class: "small", "aria-label": "What the service writes to its log", onchange: () => attempt(level, async () => {
    await call("PUT", url("log-level"), { level: level.value });
    toast(`From now on the log holds ${level.options[level.selectedIndex].text.replace("log: ", "")}.`, "done");
  }) }, options([["info", "log: everything"], ["warning", "log: warnings and errors"], ["error", "log: errors"]]));
  return [level, h("button", { type: "button", onclick: settingsDialog }, "Settings"), h("button", { type: "button", onclick: async (event) => {
    const button = event.currentTarget;
    if (!(await confirm("Stop the service?", `${plural(state.streams.size, "stream")} will no longer be watched. What is being worked on is finished first. To start it again you need access to the machine.`, "Stop the service"))) return;
    await attempt(button, () => call("POST", url("drain")));
  } }, "Stop the service")];
}
