// Why a face has a name or none, and why a stream gives no faces.

import { chance, number, plural } from "./words.js";

const SMALL_PX = 24;
const FAIR_PX = 48;
const POOR = 0.35;

/** The decision to act on: the track's; one face alone stands in until it is there. */
export function decided(entry) {
  const source = entry.track ?? entry.best;
  return { decision: source.decision, candidates: source.candidates ?? [], alone: !entry.track };
}

/** One sentence.  `entry`: {track, best, faces}; `settings`: by `section.key`. */
export function whySentence(entry, settings) {
  const { decision, candidates } = decided(entry);
  const faces = faceCount(entry);
  const needed = settings["verify.min_faces"] ?? 2;
  const [first, second] = candidates;
  if (decision === "none") return "Nothing to compare with: the gallery is empty, or no embedder is set.";
  if (decision === "known") {
    const rival = second ? `, and ${second.identity} comes nowhere near` : "";
    return `Looks so much like ${first.identity} that hardly any stranger would${rival}.`;
  }
  if (decision === "unknown") return first ? `Looks like nobody in the gallery; ${first.identity} is the nearest.` : "Nobody to look like.";
  if (faces < needed) return `Only ${plural(faces, "face")} so far: a decision needs ${needed}.`;
  if (entry.best.quality.damaged) return "The picture arrived damaged, so it says little.";
  if (first && second && isNear(first, second, settings)) {
    return `Looks like ${first.identity}, but nearly as much like ${second.identity}.`;
  }
  const excuse = weakest(entry.best.quality);
  return first ? `Somewhat like ${first.identity}, but a stranger could look so too${excuse}.` : `Too little to tell${excuse}.`;
}

/** The grounds, each with a verdict: [{name, verdict: "good" | "fair" | "poor", text}]. */
export function grounds(entry, settings) {
  const { candidates } = decided(entry);
  const quality = entry.best.quality;
  const rows = [size(quality), picture(quality), faces(entry, settings)];
  const [first, second] = candidates;
  if (first) rows.push(likeness(first, settings));
  if (first && second) {
    const lead = first.cosine_original - second.cosine_original;
    const near = isNear(first, second, settings);
    rows.push({ name: "Margin", verdict: near ? "poor" : "good",
      text: `${number(lead, 3)} ahead of ${second.identity}${near ? ": too close to tell them apart" : ""}` });
  }
  return rows;
}

function size(quality) {
  const px = `${number(quality.size_px)} px`;
  if (quality.size_px < SMALL_PX) return { name: "Size", verdict: "poor", text: `${px}: few people can be told apart below ${SMALL_PX} px` };
  if (quality.size_px < FAIR_PX) return { name: "Size", verdict: "fair", text: `${px}: names come more readily from ${FAIR_PX} px` };
  return { name: "Size", verdict: "good", text: px };
}

function picture(quality) {
  const flaws = [];
  if (quality.damaged) flaws.push("damaged on its way");
  if (quality.sharpness < POOR) flaws.push("blurred");
  if (quality.frontal < POOR) flaws.push("turned away");
  const verdict = flaws.length ? "poor" : quality.score < 0.5 ? "fair" : "good";
  return { name: "Quality", verdict, text: `${number(quality.score, 2)}${flaws.length ? `: ${flaws.join(", ")}` : ""}` };
}

function faces(entry, settings) {
  const count = faceCount(entry);
  const needed = settings["verify.min_faces"] ?? 2;
  return { name: "Faces", verdict: count < needed ? "poor" : "good", text: `${number(count)}; a decision needs ${needed}` };
}

function likeness(first, settings) {
  const told = first.false_name_chance;
  if (told !== null && told !== undefined) {
    const limit = settings["verify.false_name_rate"] ?? 0.001;
    return { name: "Likeness", verdict: told <= limit ? "good" : "poor",
      text: `strangers as alike: ${chance(told)}; a name needs ${chance(limit)} or fewer` };
  }
  const limit = settings["verify.known_cosine"];
  const text = `cosine ${number(first.cosine_original, 3)}`;
  if (typeof limit !== "number") return { name: "Likeness", verdict: "fair", text };
  return { name: "Likeness", verdict: first.cosine_original >= limit ? "good" : "poor", text: `${text}; a name needs ${number(limit, 3)}` };
}

/** As the engine does: the second one fits the rate too. Without a rate, it is hardly behind. */
function isNear(first, second, settings) {
  const told = second.false_name_chance;
  const limit = settings["verify.false_name_rate"] ?? 0.001;
  if (told !== null && told !== undefined) return told <= limit;
  return first.cosine_original - second.cosine_original < 0.02;
}

function weakest(quality) {
  if (quality.size_px < SMALL_PX) return `: the face is only ${number(quality.size_px)} px wide`;
  if (quality.sharpness < POOR) return ": the picture is blurred";
  if (quality.frontal < POOR) return ": the face is turned away";
  return "";
}

const faceCount = (entry) => Math.max(entry.track?.faces_enhanced ?? 0, entry.faces ?? 0);

/** One sentence for a funnel: what to do, or that all is well. */
export function advice(stream, funnel) {
  if (stream.paused) return "The stream is paused: resume it to see faces.";
  if (stream.state !== "live" && !funnel?.frames) return "No pictures arrive: see the stream's reason above.";
  if (!funnel) return "Watching: give it a few seconds.";
  const made = funnel.enhanced + funnel.passed_through;
  if (!funnel.frames) return "No pictures arrived in this time, though the stream is live: check the camera.";
  if (!funnel.detected_frames) return "No picture reached the detector: the machine is too busy, or detect_fps is very low.";
  if (!funnel.found) return "The detector saw no face: was anybody there, facing the camera, in enough light?";
  const causes = [
    [funnel.too_small, "Most faces are too small: use the camera's main stream, move it closer, or zoom in."],
    [funnel.late, "The machine was too slow for them: pause a stream, lower detect_fps, or use a lighter profile."],
    [funnel.rejected, "Most of what looked like a face turned out to be none: something in view misleads the detector."],
    [funnel.blurred, "Most faces are blurred: more light or a shorter exposure at the camera would help."],
  ];
  const [count, sentence] = causes.reduce((worst, one) => (one[0] > worst[0] ? one : worst));
  if (count > funnel.found / 2) return sentence;
  if (made) return `All is well: ${plural(made, "face")} came out. Those left out were outranked by better ones of the same person.`;
  return count > 0 ? sentence : "Faces were found and are being followed: the best of each person comes out when its interval ends.";
}
