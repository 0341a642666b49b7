// The funnels of the last minutes, as rings of numbers: for "why no face?".

export const STEPS = ["frames", "detected_frames", "found", "unconfirmed", "too_small", "outranked", "blurred", "late", "enhanced",
  "passed_through"];
const WIDTH = STEPS.length + 1;
const SECONDS = 300;

/** Holds SECONDS samples a stream at most, one a second. */
export class History {
  #rings = new Map();

  /** `now`: ms of the wall clock. */
  add(now, streams) {
    const names = new Set();
    for (const stream of streams) {
      names.add(stream.name);
      let ring = this.#rings.get(stream.name);
      if (!ring) this.#rings.set(stream.name, (ring = { values: new Float64Array(SECONDS * WIDTH), next: 0, used: 0 }));
      const at = ring.next * WIDTH;
      ring.values[at] = now;
      STEPS.forEach((step, index) => (ring.values[at + 1 + index] = stream.funnel?.[step] ?? 0));
      ring.next = (ring.next + 1) % SECONDS;
      ring.used = Math.min(ring.used + 1, SECONDS);
    }
    for (const name of this.#rings.keys()) if (!names.has(name)) this.#rings.delete(name);
  }

  /** What was counted in the last `seconds`: {seconds, frames, found, …}; null where nothing is known. `seconds` in the answer is
   *  the time that it really covers. */
  last(name, seconds) {
    const ring = this.#rings.get(name);
    if (!ring || ring.used < 2) return null;
    const row = (back) => ((ring.next - 1 - back + 2 * SECONDS) % SECONDS) * WIDTH;
    const newest = row(0);
    let back = 1;
    while (back < ring.used - 1 && ring.values[newest] - ring.values[row(back)] < seconds * 1000) back++;
    const funnel = { seconds: (ring.values[newest] - ring.values[row(back)]) / 1000 };
    STEPS.forEach((step, index) => {
      let sum = 0;
      // A new run counts from nought again: what it has is what it added.
      for (let one = back; one > 0; one--) {
        const before = ring.values[row(one) + 1 + index];
        const after = ring.values[row(one - 1) + 1 + index];
        sum += after >= before ? after - before : after;
      }
      funnel[step] = sum;
    });
    return funnel;
  }
}
