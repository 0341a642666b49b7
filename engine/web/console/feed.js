// The server's events, for as long as one is signed in; previews only of the streams that are in view, and only while somebody looks.

import { recall, url } from "./api.js";
import { state, take } from "./store.js";

const RETRY_MS = 2000;
/** The server tells its status once a second. One that hangs, or whose machine is gone, closes nothing: it only falls silent. */
const SILENT_MS = 8000;
const SETTLE_MS = 250;
const MAIN = ["status", "face", "track", "stream"];
let main = null;
let previews = null;
let watched = "";
let wanted = new Set();
let settling = 0;
let retry = 0;
let silence = 0;
let isOpen = false;

export function open() {
  close();
  isOpen = true;
  take.link("connecting");
  connect();
}

export function close() {
  isOpen = false;
  disconnect();
  settle();
}

function connect() {
  main = listenTo(MAIN, {});
  main.addEventListener("status", heard);
  main.onerror = () => {
    take.link("lost");
    // The browser tries again by itself unless the answer was an error; then we ask whether we are still known.
    if (main.readyState === EventSource.CLOSED) again();
  };
  expect();
  settle();
}

function disconnect() {
  clearTimeout(retry);
  clearTimeout(silence);
  main?.close();
  main = null;
}

function heard() {
  if (state.link !== "open") take.link("open");
  expect();
}

function expect() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    take.link("lost");
    previews?.close();
    again();
  }, SILENT_MS);
}

/** Say whose previews are to be seen. A change takes effect when scrolling has come to rest. */
export function watch(streams) {
  wanted = new Set(streams);
  clearTimeout(settling);
  settling = setTimeout(settle, SETTLE_MS);
}

document.addEventListener("visibilitychange", () => settle());

function settle() {
  const streams = isOpen && !document.hidden ? [...wanted].sort().join(",") : "";
  if (streams === watched && previews?.readyState !== EventSource.CLOSED) return;
  watched = streams;
  previews?.close();
  previews = streams ? listenTo(["preview"], { streams }) : null;
}

function listenTo(kinds, query) {
  const source = new EventSource(`${url("events")}?${new URLSearchParams({ kinds: kinds.join(","), ...query })}`);
  for (const kind of [...kinds, "lost"]) source.addEventListener(kind, (event) => take[kind](JSON.parse(event.data || "null")));
  return source;
}

/** Leave the connection, and make another as soon as the server answers. */
function again() {
  disconnect();
  retry = setTimeout(async () => {
    try {
      const isKnown = await recall(AbortSignal.timeout(SILENT_MS));
      if (!isOpen || main) return;
      if (isKnown) connect();
      else dispatchEvent(new Event("signedout"));
    } catch {
      if (isOpen && !main) again(); // the service is away: until it is back
    }
  }, RETRY_MS);
}
