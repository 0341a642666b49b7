// What the page knows: the newest of everything, never a growing list. Listeners hear of changes once a frame at most.

import { History } from "./history.js";

const MOST_FACES = 30;
const MOST_EVENTS = 200;

export const state = {
  link: "connecting", // connecting, open, lost
  status: null,
  /** Name to Stream. */
  streams: new Map(),
  /** Name to the newest preview. */
  previews: new Map(),
  /** Key of a track to {key, face, track, picture, best, faces, since, at}: the newest first. */
  faces: new Map(),
  /** Lines of the log by number: {…event, times}. */
  events: new Map(),
  /** Run and number of the newest of them. */
  noted: ["", 0],
  settings: {},
  history: new History(),
  lost: 0,
};

const listeners = new Map();
const dirty = new Set();
let asked = false;

/** Call `listener` after changes of these kinds: link, status, preview, face, stream; until `signal` is aborted. */
export function listen(kinds, listener, signal) {
  for (const kind of kinds) {
    if (!listeners.has(kind)) listeners.set(kind, new Set());
    listeners.get(kind).add(listener);
  }
  signal.addEventListener("abort", () => kinds.forEach((kind) => listeners.get(kind).delete(listener)), { once: true });
}

export function changed(kind) {
  dirty.add(kind);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const called = new Set([...dirty].flatMap((one) => [...(listeners.get(one) ?? [])]));
    dirty.clear();
    for (const listener of called) listener();
  });
}

export const trackKey = (message) => `${message.run_id}/${message.stream}/${message.track_id}`;

/** Take in one event of the server. */
export const take = {
  status(status) {
    state.status = status;
    state.streams = new Map((status.streams ?? []).map((stream) => [stream.name, stream]));
    for (const name of state.previews.keys()) if (!state.streams.has(name)) state.previews.delete(name);
    state.history.add(Date.now(), status.streams ?? []);
    for (const event of status.events ?? []) note(status.run_id, event);
    bound(state.events, MOST_EVENTS);
    changed("status");
  },
  preview(preview) {
    state.previews.set(preview.stream, preview);
    changed("preview");
  },
  face(face) {
    const key = trackKey(face);
    const known = state.faces.get(key) ?? { key, track: null, best: face, faces: 0, since: face.captured_ns };
    const best = face.quality.score >= known.best.quality.score ? face : known.best;
    state.faces.delete(key);
    state.faces.set(key, { ...known, face, best, faces: known.faces + 1, at: Date.now() });
    bound(state.faces, MOST_FACES);
    changed("face");
  },
  track(track) {
    const known = state.faces.get(trackKey(track));
    if (!known) return;
    known.track = track;
    if (track.picture && track.pictures?.track) known.picture = { ...track.picture, pictures: track.pictures };
    changed("face");
  },
  stream() {
    changed("stream"); // the status of the next second has it
  },
  /** How the connection to the service stands. Without one it is not known how any stream does. */
  link(value) {
    state.link = value;
    if (value === "lost") {
      state.streams = new Map([...state.streams].map(([name, stream]) => [name, { ...stream, state: "unknown" }]));
      changed("status");
    }
    changed("link");
  },
  lost(what) {
    state.lost += what?.events ?? 1;
    changed("link");
  },
};

/** Keep a line of the log. A camera that is away says so at each attempt: that is one line with a count, or no other would be left. */
function note(run, event) {
  const [newest, number] = state.noted;
  if (newest === run && event.number <= number) return;
  state.noted = [run, event.number];
  const { stream, state: is, reason } = event.fields ?? {};
  const before = event.name === "stream" && [...state.events].reverse().find(([, { name, fields }]) => name === "stream" && fields.stream === stream);
  const again = before && before[1].fields.state === is && before[1].fields.reason === reason;
  if (again) state.events.delete(before[0]);
  state.events.set(`${run}/${event.number}`, { ...event, times: again ? before[1].times + 1 : 1 });
}

function bound(map, most) {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

/** Nothing of a session stays behind for the next one. */
export function forget() {
  state.status = null;
  state.streams = new Map();
  state.noted = ["", 0];
  for (const map of [state.previews, state.faces, state.events]) map.clear();
  state.history = new History();
}
