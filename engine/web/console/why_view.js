// "Why no face?": where the faces of a stream went in the last seconds.

import { fill, h, options, say } from "./dom.js";
import { listen, state } from "./store.js";
import { advice } from "./why.js";
import { duration, number, standing, stateReason, stateWord } from "./words.js";

const SPANS = [10, 30, 60, 300];
const STEPS = [
  ["frames", "Pictures arrived"],
  ["detected_frames", "Pictures looked at"],
  ["found", "Faces found in them"],
  ["unconfirmed", "left out: there too briefly, or no face after all", true],
  ["too_small", "left out: too small", true],
  ["outranked", "left out: a better one of the same person", true],
  ["blurred", "of these, too blurred", true],
  ["late", "left out: the machine was too slow", true],
  ["enhanced", "Enhanced"],
  ["passed_through", "Large enough as they were"],
];

export function whyView(root, signal, [name]) {
  let seconds = 30;
  const names = h("select", { onchange: () => { location.hash = `#/why/${encodeURIComponent(names.value)}`; } });
  const span = h("select", { onchange: () => { seconds = Number(span.value); update(); } },
    options(SPANS.map((one) => [one, `the last ${duration(one)}`])));
  span.value = seconds;
  const sentence = h("p", { class: "advice", role: "status" });
  const stands = h("p", { class: "where" });
  const rows = STEPS.map(([key, text, lost]) => {
    const bar = h("i");
    const count = h("td", { class: "count" });
    return { key, bar, count, node: h("tr", { class: lost ? "lost" : "" }, h("th", { scope: "row" }, text), count, h("td", { class: "bar-cell", "aria-hidden": "true" }, bar)) };
  });
  fill(root, h("p", null, h("a", { class: "back", href: "#/live" }, "← Live")), h("div", { class: "head" }, h("h1", null, "Why no face?"),
    h("label", { class: "inline" }, h("span", { class: "unseen" }, "Stream"), names), h("label", { class: "inline" }, h("span", { class: "unseen" }, "How far back"), span)),
  stands, sentence, h("div", { class: "card" }, h("table", { class: "funnel" },
    h("caption", { class: "unseen" }, "Where the faces went"), h("tbody", null, rows.map((row) => row.node)))));

  function update() {
    const known = [...state.streams.keys()];
    if (known.join("/") !== [...names.options].map((one) => one.value).join("/")) {
      fill(names, options(known.map((one) => [one, one])));
      names.value = name ?? "";
    }
    const stream = state.streams.get(name);
    if (!stream) return say(sentence, state.status ? `There is no stream called ${name}.` : "Waiting for the service …");
    const funnel = state.history.last(name, seconds);
    const word = stateWord(standing(stream));
    say(stands, `${word[0].toUpperCase()}${word.slice(1)}. ${stateReason(stream)}${funnel && funnel.seconds < seconds - 1 ? ` Watched for ${duration(funnel.seconds)} so far.` : ""}`);
    say(sentence, advice(stream, funnel));
    for (const { key, bar, count } of rows) {
      const whole = key === "frames" || key === "detected_frames" ? funnel?.frames : funnel?.found;
      say(count, funnel ? number(funnel[key]) : "–");
      bar.hidden = !funnel?.[key];
      bar.style.width = `${whole ? Math.min(100, (100 * (funnel[key] ?? 0)) / whole) : 0}%`;
    }
    return undefined;
  }
  listen(["status"], update, signal);
  update();
}
