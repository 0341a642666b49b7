// Why a face has a name or none, and why a stream gives no faces.

import { bounded, chance, number, plural, ratio, toldApart, worth } from "./words.js";

const SMALL_PX = 24;
const FAIR_PX = 48;
const POOR = 0.35;

/** The decision to act on: the track's; one face alone stands in until it is there. */
export function decided(entry) {
  const source = entry.track ?? entry.best;
  return { decision: source.decision, candidates: source.candidates ?? [], alone: !entry.track };
}

/** On what a decision rests: as the track says, or as far as it can be told from its best face. */
function basisOf(entry, settings) {
  if (entry.track?.basis) return entry.track.basis;
  const { decision, candidates } = decided(entry);
  const [first, second] = candidates;
  const faces = Math.max(entry.track?.faces_enhanced ?? 0, entry.faces ?? 0);
  const needed = settings["verify.min_faces"] ?? 2;
  const target = settings["verify.target_fmr"] ?? null;
  const rate = !target && typeof first?.false_name_chance === "number" ? settings["verify.false_name_rate"] ?? 0.001 : null;
  const likely = rate === null ? null : first.false_name_chance <= rate;
  let missing = "";
  if (decision !== "known") missing = faces < needed ? "faces" : likely ? "margin" : "likeness";
  return {
    faces, faces_needed: needed, size_px: entry.best.quality.size_px, size_needed_px: null, quality: entry.best.quality.score,
    margin: first && second ? first.cosine_original - second.cosine_original : null, margin_needed: null,
    false_name_rate: rate, target_fmr: target, known_cosine: settings["verify.known_cosine"] ?? null, missing,
  };
}

/** One sentence, and another where the track shows several people. `entry`: {track, best, faces}; `settings`: by `section.key`. */
export function whySentence(entry, settings) {
  const basis = basisOf(entry, settings);
  const several = basis.persons > 1 ? ` ${number(basis.persons)} people are in this track: this is about the one seen most.` : "";
  return reason(entry, basis) + several;
}

function reason(entry, basis) {
  const { decision, candidates } = decided(entry);
  const [first, second] = candidates;
  if (decision === "none") return "Compared with nobody: nobody was enrolled then, or faces are not compared here.";
  if (decision === "known") {
    const rival = second ? `, and ${second.identity} comes nowhere near` : "";
    return `Looks so much like ${first.identity} that hardly any stranger would${rival}.`;
  }
  if (decision === "unknown") return first ? `Looks like nobody in the gallery; ${first.identity} is the nearest.` : "Looks like nobody in the gallery.";
  if (basis.missing === "faces") return tooFew(basis);
  if (basis.missing === "margin" && second) return `Looks like ${first.identity}, but nearly as much like ${second.identity}.`;
  if (basis.missing === "size" && basis.size_needed_px) {
    const [size, needed] = toldApart(basis.size_px, basis.size_needed_px);
    return `Faces of ${size} px are too small to name: about ${needed} px are needed.`;
  }
  if (entry.best.quality.damaged) return "The picture arrived damaged, so it says little.";
  const excuse = weakest(entry.best.quality);
  return first ? `Somewhat like ${first.identity}, but a stranger could look so too${excuse}.` : `Too little to tell${excuse}.`;
}

function tooFew({ faces, faces_needed: needed, moments, nobody }) {
  if (typeof moments !== "number") return `Only ${plural(faces, "face")} so far: a decision needs ${needed}.`;
  if (nobody) return `The face can hardly be recognised at ${number(nobody)} of ${plural(moments, "moment")}: a name needs ${needed} faces on which it can.`;
  return `Only ${plural(faces, "face")} so far: a decision needs ${needed}.`;
}

/** The grounds, each with a verdict: [{name, verdict: "good" | "fair" | "poor", text}]. */
export function grounds(entry, settings) {
  const { decision, candidates } = decided(entry);
  const basis = basisOf(entry, settings);
  const rows = [size(basis), picture(entry.best.quality, basis.quality), seen(basis)];
  if (basis.persons > 1) rows.push({ name: "People", verdict: "poor", text: `${number(basis.persons)} in this track; decided by the one seen at the most moments` });
  if (candidates.length) rows.push(likeness(candidates[0], basis));
  if (typeof candidates[0]?.log10_lr === "number") rows.push(evidence(candidates[0], basis));
  if (basis.margin !== null && candidates.length > 1) {
    // Against one who would not get the name anyway, no margin is asked for.
    const poor = basis.missing === "margin";
    const [margin, least] = poor && basis.margin_needed ? toldApart(basis.margin, basis.margin_needed, 3) : [number(basis.margin, 3)];
    const needed = least ? `; ${least} are needed` : "";
    rows.push({ name: "Margin", verdict: poor ? "poor" : decision === "known" ? "good" : "fair",
      text: `${margin} ahead of ${candidates[1].identity}${needed}` });
  }
  return rows;
}

function seen({ faces, faces_needed: needed, moments, nobody }) {
  if (typeof moments !== "number") return { name: "Faces", verdict: faces < needed ? "poor" : "good", text: `${number(faces)}; a decision needs ${needed}` };
  const lost = nobody ? `, ${number(nobody)} of them too poor to recognise anybody` : "";
  const verdict = faces < needed || moments === nobody ? "poor" : 2 * nobody > moments ? "fair" : "good";
  return { name: "Faces", verdict, text: `${number(faces)} at ${plural(moments, "moment")}${lost}; a decision needs ${plural(needed, "face")}` };
}

function size({ size_px: px, size_needed_px: needed, missing }) {
  const least = (needed ? [needed] : [SMALL_PX, FAIR_PX]).find((one) => px < one);
  const [shown, limit] = least ? toldApart(px, least) : [number(px), number(needed)];
  const text = `${shown} px`;
  if (needed) return { name: "Size", verdict: px < needed ? (missing === "size" ? "poor" : "fair") : "good", text: `${text}; below ${limit} px hardly anybody gets a name` };
  if (px < SMALL_PX) return { name: "Size", verdict: "poor", text: `${text}: few people can be told apart below ${limit} px` };
  if (px < FAIR_PX) return { name: "Size", verdict: "fair", text: `${text}: names come more readily from ${limit} px` };
  return { name: "Size", verdict: "good", text };
}

/** `mean`: over the faces of the track; the flaws are those of the best one. */
function picture(best, mean) {
  const flaws = [];
  if (best.damaged) flaws.push("damaged on its way");
  if (best.sharpness < POOR) flaws.push("blurred");
  if (best.frontal < POOR) flaws.push("turned away");
  const verdict = flaws.length ? "poor" : mean < 0.5 ? "fair" : "good";
  return { name: "Quality", verdict, text: `${number(mean, 2)}${flaws.length ? `: even the best one is ${flaws.join(", ")}` : ""}` };
}

function likeness(first, { false_name_rate: rate, known_cosine: cosine, target_fmr: target, missing }) {
  const told = first.false_name_chance;
  if (target) {
    const verdict = missing === "faces" ? "fair" : missing === "" || missing === "margin" ? "good" : "poor";
    return { name: "Likeness", verdict, text: `cosine ${number(first.cosine_original, 3)}; of comparisons with others ${chance(target)} may pass` };
  }
  if (typeof told === "number" && rate) {
    return { name: "Likeness", verdict: told <= rate ? "good" : "poor", text: `strangers as alike: ${chance(told)}; a name needs ${chance(rate)} or fewer` };
  }
  const text = `cosine ${number(first.cosine_original, 3)}`;
  if (typeof cosine !== "number") return { name: "Likeness", verdict: "fair", text };
  return { name: "Likeness", verdict: first.cosine_original >= cosine ? "good" : "poor", text: `${text}; a name needs ${number(cosine, 3)}` };
}

function evidence({ log10_lr: log10, identity }, { log10_lr_bounds: bounds, bucket }) {
  const most = bounds ? `; for ${bucket} ${ratio(bounds[0])} to ${ratio(bounds[1])} can be shown` : "";
  return { name: "Evidence", verdict: log10 >= 2 ? "good" : log10 > 0 ? "fair" : "poor",
    text: `${worth(log10, identity)} (likelihood ratio ${bounded(log10, bounds)}${most}). Of many enrolled the best has a high one by chance; relatives and twins were not measured` };
}

function weakest(quality) {
  if (quality.size_px < SMALL_PX) return `: the face is only ${number(quality.size_px)} px wide`;
  if (quality.sharpness < POOR) return ": the picture is blurred";
  if (quality.frontal < POOR) return ": the face is turned away";
  return "";
}

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
    [funnel.unconfirmed, "Most of what looked like a face was there too briefly, or turned out to be none: is something in view that resembles one?"],
    [funnel.blurred, "Most faces are blurred: more light or a shorter exposure at the camera would help."],
  ];
  const [count, sentence] = causes.reduce((worst, one) => (one[0] > worst[0] ? one : worst));
  if (count > funnel.found / 2) return sentence;
  if (made) return `All is well: ${plural(made, "face")} came out. Those left out were outranked by better ones of the same person.`;
  return count > 0 ? sentence : "Faces were found and are being followed: the best of each person comes out when its interval ends.";
}
