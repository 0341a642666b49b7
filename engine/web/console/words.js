// Figures, states and reasons as a person says them.

export const MARK = "AI-enhanced: not for identification";

const STATES = {
  connecting: "connecting", live: "live", stalled: "no pictures", discontinuity: "picking up again", ended: "ended",
  failed: "failed", paused: "paused", unknown: "not known",
};
const REASONS = {
  end_of_file: "The recording is over.", drained: "It was stopped on request.", not_found: "There is nothing at this address.",
  not_a_video: "What it sends is not a video.", no_video: "It has no video.", truncated: "The recording is cut off.",
  codec: "Its codec cannot be decoded here.", permission: "It may not be read; the log says why.",
  timeout: "The camera does not answer.", network: "The network connection failed.",
  auth: "The camera does not accept the user name or password.", busy: "The camera has no connection to spare.",
  server_error: "The camera reports an error of its own.", end_of_stream: "The camera ended the stream.",
  not_live: "The camera sends a recording, not a live picture.", resolution_change: "The size of its picture changed.",
  codec_change: "Its codec changed.", timestamp_jump: "Its clock jumped.", reconnect: "The connection was made anew.",
  worker_died: "The process that reads it died, and is being started again.", encrypted: "The stream is encrypted.",
  unexpected: "Something unexpected happened; the log says more.", model: "A model could not be loaded.",
  no_key_frame: "The camera sends no key frame: set its key frame interval (I-frame, GOP) to 1 or 2 seconds.",
};
const TROUBLE = new Set(["stalled", "failed", "discontinuity", "connecting"]);

/** How a stream stands, and so what its tile says. */
export const standing = (stream) => (stream.paused ? "paused" : stream.state);
export const stateWord = (state) => STATES[state] ?? state;
export const isTrouble = (stream) => TROUBLE.has(standing(stream));

/** Why a stream stands as it stands: one or two sentences, empty where all is well. */
export function stateReason(stream) {
  if (standing(stream) === "paused") return "Paused: its settings are kept, and it is not read.";
  const reason = REASONS[stream.reason] ?? "";
  if (stream.state === "live") return "";
  if (stream.state === "unknown") return "The service cannot be reached: what is shown is old.";
  const lasting = duration(stream.seconds_in_state);
  const words = ["ended", "failed"].includes(stream.state) ? `That was ${lasting} ago.` : `This has lasted ${lasting}.`;
  const since = stream.seconds_in_state >= 2 ? ` ${words}` : "";
  return `${reason || stream.detail || "Waiting for its first picture."}${since}`;
}

export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A value and the limit that it does not meet, as figures that differ: 47.7 is not told as 48 where 48 is needed. */
export function toldApart(value, limit, digits = 0) {
  let more = digits;
  while (more < digits + 4 && number(value, more) === number(limit, more)) more += 1;
  return [number(value, more), number(limit, more)];
}

export const rate = (value) => number(value, value < 10 ? 1 : 0);
export const millis = (value) => (value === null || value === undefined ? "–" : `${number(value, value < 10 ? 1 : 0)}\u00a0ms`);
export const noun = (count, one, many = `${one}s`) => (count === 1 ? one : many);
export const plural = (count, one, many) => `${number(count)} ${noun(count, one, many)}`;

export function duration(seconds) {
  if (seconds < 90) return plural(Math.round(seconds), "second");
  if (seconds < 5400) return plural(Math.round(seconds / 60), "minute");
  if (seconds < 172800) return plural(Math.round(seconds / 3600), "hour");
  return plural(Math.round(seconds / 86400), "day");
}

const pad = (value) => String(value).padStart(2, "0");
export const clock = (ms) => {
  const time = new Date(ms);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
};
/** The zone of this browser's clock at a time (ms), as "GMT+1": a time says little without it. */
export const zone = (ms) => new Date(ms).toLocaleTimeString("en-GB", { timeZoneName: "short" }).split(" ").slice(1).join(" ");
export const day = (ms) => new Date(ms).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** When a face was seen (ms): by the recording's own clock where it has one. */
export const seenAt = (face) => (face.live ? face.captured_ns : face.recorded_ns ?? face.captured_ns) / 1e6;

export const trackAddress = (track) => `#/track/${[track.run_id, track.stream, track.track_id].map(encodeURIComponent).join("/")}`;

export const spaced = (name) => name.replaceAll("_", " ");

/** A bound on a share of strangers, as the report says it (engine/words/worth.py): 4.5e-5 is "1 in 22,000". */
export function chance(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 0.1) return `${number(100 * value)} %`;
  if (value < 1e-5) return "< 1 in 100,000";
  if (value >= 1e-3) return `${Number((1000 * value).toPrecision(2))} in 1,000`;
  const step = 10 ** (Math.floor(Math.log10(1 / value) + 1e-9) - 1);
  return `1 in ${(Math.floor(1 / value / step + 1e-6) * step).toLocaleString("en-GB")}`;
}

/** A likelihood ratio with two digits, from its power of ten: "1,200" or "1/30". */
export function ratio(log10) {
  const text = Number((10 ** Math.abs(log10)).toPrecision(2)).toLocaleString("en-GB");
  return log10 >= 0 || text === "1" ? text : `1/${text}`;
}

/** The ratio, with what is said where it stands at a bound of what can be shown (engine/words/worth.py). `bounds`: as powers of ten, or nothing. */
export function bounded(log10, bounds) {
  if (!bounds) return ratio(log10);
  return ratio(log10) + (log10 >= bounds[1] ? " or more" : log10 <= bounds[0] ? " or less" : "");
}

/** ENFSI's words for a likelihood ratio (2015). */
const DEGREES = [[6, "exceedingly more"], [4, "far more"], [3, "much more"], [2, "appreciably more"], [1, "more"], [Math.log10(2), "slightly more"]];

export function worth(log10, identity) {
  const words = DEGREES.find(([least]) => Math.abs(log10) >= least)?.[1];
  if (!words) return `about as probable if it is ${identity} as if it is somebody else`;
  const [likelier, other] = log10 > 0 ? [identity, "somebody else"] : ["somebody else", identity];
  return `${words} probable if it is ${likelier} than if it is ${other}`;
}

/** In the order in which a picture goes through them. */
const STAGES = {
  decode: "Decoding", decode_main: "Decoding, main stream", hand_over: "Handing over", hand_over_main: "Handing over, main stream",
  detect: "Detection", scene_cut: "Scene cuts", track: "Tracking", crop: "Cropping", preview: "Previews", inference: "Computing",
  enhance: "Enhancement", super_resolve: "Enhancement", fuse: "Pictures of tracks", verify: "Naming", encode: "Encoding", write: "Writing", publish: "Publishing",
  checkpoint: "Checkpoints",
  latency: "The whole way",
};
const ORDER = Object.keys(STAGES);
const placeOf = (stage) => (ORDER.indexOf(stage) + ORDER.length + 1) % (ORDER.length + 1);
/** Names of stages in their order. */
export const stagesOf = (stages) => Object.keys(stages ?? {}).sort((a, b) => placeOf(a) - placeOf(b));
export const stageName = (stage) => STAGES[stage] ?? spaced(stage);

export function headline(decision, candidates) {
  if (decision === "known" && candidates?.length) return candidates[0].identity;
  return { unknown: "Not in the gallery", undecided: "Not decided" }[decision] ?? "Not compared";
}
