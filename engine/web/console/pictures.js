// Pictures are drawn on canvases, from bitmaps that are released at once: nothing piles up however long the page is open.

const AT_ONCE = 4;
const COLOURS = { named: "#3ddc84", nameless: "#ffc857", doubtful: "#c3ccd5" };
let running = 0;
const waiting = [];

/** Draw a picture over the whole canvas, with boxes on it. `boxes`: in pixels of a picture of `width` x `height`. */
export async function draw(canvas, blob, { boxes = [], width = 0, height = 0 } = {}) {
  const bitmap = await createImageBitmap(blob);
  const shown = Math.min(bitmap.width, Math.max(160, Math.round(canvas.clientWidth * Math.min(devicePixelRatio, 2)) || bitmap.width));
  canvas.width = shown;
  canvas.height = Math.round((shown * bitmap.height) / bitmap.width);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const scale = [canvas.width / (width || bitmap.width), canvas.height / (height || bitmap.height)];
  bitmap.close();
  for (const box of boxes) frame(pen, box, scale, canvas);
}

/** Draw a JPEG that came as base64 within JSON. */
export const drawBase64 = (canvas, text, options) =>
  draw(canvas, new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], { type: "image/jpeg" }), options);

/** Fetch and draw, a few at a time; a canvas that is still being drawn is left alone. */
export async function drawFrom(canvas, address, options) {
  if (canvas.dataset.busy) return;
  canvas.dataset.busy = "1";
  try {
    if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
    running++;
    try {
      const reply = await fetch(address, { cache: "no-store", credentials: "same-origin" });
      if (reply.ok) await draw(canvas, await reply.blob(), options);
    } finally {
      running--;
      waiting.shift()?.();
    }
  } catch {
    // The last picture stays; the stream's state says what is wrong.
  } finally {
    delete canvas.dataset.busy;
  }
}

/** Give the memory of a canvas back. */
export function release(canvas) {
  canvas.width = canvas.height = 0;
}

/** A JPEG of a video's present picture or of a bitmap, at most `most` px wide. */
export async function toJpeg(source, width, height, most = 1600) {
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.94 });
}

/** A text, or as much of its beginning as fits. */
function shortened(text, fits) {
  const letters = [...text];
  let shown = text;
  while (!fits(shown) && letters.length > 1) {
    letters.length = Math.floor(letters.length * 0.9);
    shown = `${letters.join("")}…`;
  }
  return shown;
}

function frame(pen, box, [across, down], canvas) {
  const [x, y, width, height] = [box.x * across, box.y * down, box.width * across, box.height * down];
  const line = Math.max(2, canvas.width / 240);
  pen.lineWidth = line;
  // Not yet taken for a face: it may be a picture on a wall.
  pen.strokeStyle = COLOURS[box.name ? "named" : box.accepted === false ? "doubtful" : "nameless"];
  pen.setLineDash(box.accepted === false ? [3 * line, 2 * line] : []);
  pen.strokeRect(x, y, width, height);
  if (!box.name) return;
  const size = Math.max(11, canvas.width / 30);
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const name = shortened(box.name, (text) => pen.measureText(text).width + size < canvas.width);
  const long = pen.measureText(name).width + size * 0.6;
  const left = Math.max(0, Math.min(x - line / 2, canvas.width - long));
  const top = y > size * 1.5 ? y - size * 1.4 : y + height;
  pen.fillStyle = pen.strokeStyle;
  pen.fillRect(left, top, long, size * 1.4);
  pen.fillStyle = "#08210f";
  pen.fillText(name, left + size * 0.3, top + size * 1.05);
}
