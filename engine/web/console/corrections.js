// What a person knows better: this is not that one; this is somebody.

import { call, url } from "./api.js";
import { toast, attempt, confirm } from "./ui.js";
import { enrolDialog } from "./enrol.js";

/** Tell the service that a track has a wrong name. */
export async function notThatPerson(face, name, button) {
  const sure = await confirm(`Not ${name}?`,
    `The faces of this track are kept as pictures that are not ${name}, so that the name is given less readily to faces like them.`,
    `This is not ${name}`);
  if (!sure) return false;
  return attempt(button, async () => {
    await call("POST", url("tracks", face.run_id, face.stream, String(face.track_id), "wrong"), { name });
    toast(`Noted: this is not ${name}.`, "done");
  });
}

/** Enrol the face of a track: its original picture, never the enhanced one. */
export async function enrolFace(face) {
  const address = face.pictures?.original;
  await attempt(null, async () => {
    if (!address) throw new Error("The original picture is no longer kept.");
    const reply = await fetch(address, { credentials: "same-origin" });
    if (!reply.ok) throw new Error("The original picture is no longer kept.");
    enrolDialog("", [new File([await reply.blob()], `${face.stream}-track-${face.track_id}.jpg`, { type: "image/jpeg" })]);
  });
}
