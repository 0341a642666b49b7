// Reads the faces of a run, in Node: the packages zeromq and @msgpack/msgpack.
//
//   npm install zeromq@6 @msgpack/msgpack@3
//   node subscriber.mjs tcp://127.0.0.1:5556                 a `pub` endpoint
//   node subscriber.mjs tcp://127.0.0.1:5556 pull            a `push` one
//   node subscriber.mjs tcp://192.0.2.5:5556 sub kiosk.key   with the file of `facestream keys new`
import { readFileSync } from "node:fs";
import { decode } from "@msgpack/msgpack";
import { Pull, Subscriber } from "zeromq";

const [endpoint, kindOfSocket, keyFile] = process.argv.slice(2);
if (!endpoint) {
  console.error("usage: node subscriber.mjs ENDPOINT [sub|pull] [KEY]");
  process.exit(2);
}
const socket = kindOfSocket === "pull" ? new Pull() : new Subscriber();
if (kindOfSocket !== "pull") socket.subscribe("v1/face/", "v1/end/");
if (keyFile) {
  const key = JSON.parse(readFileSync(keyFile, "utf8"));
  Object.assign(socket, { curveServerKey: key.server, curvePublicKey: key.public, curveSecretKey: key.secret });
}
// Whoever was away or too slow at the end of a run gets no `end`: after so long without a publisher it has to be taken for gone.
const goneSeconds = Number(process.env.GONE_SECONDS ?? 30);
let [timer, isGone] = [undefined, false];
socket.events.on("disconnect", () => {
  timer ??= setTimeout(() => ((isGone = true), socket.close()), goneSeconds * 1000);
});
socket.events.on("handshake", () => (timer = void clearTimeout(timer)));
socket.connect(endpoint);

const expected = new Map(); // of each run and stream: the number of its next face
for await (const [, header, ...payloads] of socket) {
  // Times in nanoseconds are larger than a double holds: they come as BigInt, small numbers do too.
  const message = decode(header, { useBigInt64: true });
  if (message.schema !== "facestream/1") throw new Error(`another version of the wire: ${message.schema}`);
  if (message.kind === "end") {
    console.log(`end ${message.outcome}`);
    break;
  }
  if (message.kind !== "face") continue;
  const series = `${message.run_id}/${message.stream}`;
  const next = expected.get(series);
  const seq = Number(message.seq);
  if (next !== undefined && seq > next) console.log(`lost ${message.stream} ${next} to ${seq - 1}`);
  expected.set(series, seq + 1);
  // payloads[i] is what parts[i] describes: a JPEG or PNG file.
  const parts = message.parts.map((part, i) => ` ${part.name}:${payloads[i].length}`).join("");
  console.log(`${message.stream} ${message.track_id} ${message.decision} ${message.candidates[0]?.identity ?? "-"}${parts}`);
}
clearTimeout(timer);
socket.close();
if (isGone) {
  console.error(`the publisher at ${endpoint} has been gone for ${goneSeconds} s and has not said that its run is over`);
  process.exitCode = 3;
}
