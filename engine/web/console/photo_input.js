// Pictures from files that are dropped or chosen, and from this device's camera.

import { fill, h } from "./dom.js";
import { toJpeg } from "./pictures.js";
import { dialog, toast } from "./ui.js";

const TYPES = "image/jpeg,image/png,image/webp,image/heic,image/heif,image/avif,image/bmp,image/tiff";

/** A place to drop pictures on, with buttons that do the same. `taken(files)` is called with one or several. */
export function photoInput(taken, { several = true, label = "Drop pictures here" } = {}) {
  const take = (files) => {
    const pictures = [...files].filter((file) => file.type.startsWith("image/") || file.type === "");
    if (!pictures.length) return toast("That is no picture.");
    taken(several ? pictures : pictures.slice(0, 1));
  };
  const input = h("input", { type: "file", accept: TYPES, multiple: several, hidden: true, onchange: () => {
    take(input.files);
    input.value = "";
  } });
  const zone = h("div", { class: "drop" }, h("p", null, label), h("div", { class: "row" },
    h("button", { type: "button", onclick: () => input.click() }, several ? "Choose files" : "Choose a file"),
    h("button", { type: "button", onclick: () => cameraDialog((file) => take([file])) }, "Use the camera")), input);
  const over = (on) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    take(event.dataTransfer.files);
  });
  return zone;
}

/** Take a picture with this device's camera; it is switched off when the dialog closes. */
function cameraDialog(taken) {
  if (!navigator.mediaDevices?.getUserMedia) {
    return toast("This browser gives the camera only to pages over HTTPS or from this machine itself.");
  }
  return dialog("Use the camera", (close, signal) => {
    const video = h("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "What the camera sees" });
    const note = h("p", { class: "where", role: "status" }, "Look into the camera, from an arm's length away.");
    const shoot = h("button", { type: "button", class: "primary", disabled: true, onclick: async () => {
      const picture = await toJpeg(video, video.videoWidth, video.videoHeight);
      taken(new File([picture], `camera-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`, { type: "image/jpeg" }));
      close();
    } }, "Take the picture");
    navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } }).then((stream) => {
      const off = () => stream.getTracks().forEach((track) => track.stop());
      if (signal.aborted) return off();
      signal.addEventListener("abort", off);
      video.srcObject = stream;
      video.addEventListener("loadeddata", () => { shoot.disabled = false; shoot.focus(); }, { once: true });
    }, (error) => fill(note, error.name === "NotAllowedError" ? "The browser was not allowed to use the camera."
      : "No camera could be opened on this device."));
    return h("div", { class: "body" }, video, note, h("div", { class: "row end" },
      h("button", { type: "button", onclick: close }, "Cancel"), shoot));
  });
}
