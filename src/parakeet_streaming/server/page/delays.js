/**
 * When sound was heard and text was shown, in; how long a word took, out. Milliseconds of one clock
 * are handed in.
 *
 * A word counts from its end in the sound. It has appeared when it was first shown as it came to be
 * in the end, tentative or not; it is final when it was first shown as committed.
 */
const KEPT = 50;
/** Clocks of sound and browser drift apart by less than this. */
const DRIFT = 0.0005;

export class Delays {
  #offset = Infinity;
  #heardS = 0;
  #seen = [];
  #settled = [];
  #present = { seen: [], settled: [] };

  /** All sound up to `endS` was heard by `nowMs`. */
  heard(endS, nowMs) {
    // The piece that came with the least delay says best when sound was made.
    this.#offset += (endS - this.#heardS) * 1000 * DRIFT;
    this.#heardS = endS;
    this.#offset = Math.min(this.#offset, nowMs - endS * 1000);
  }

  /** This is shown of the present utterance. */
  shown(committed, tentative, nowMs) {
    note(this.#present.seen, committed + tentative, nowMs);
    note(this.#present.settled, committed, nowMs);
  }

  /** The present utterance has ended with these words. */
  ended(words, nowMs) {
    words.forEach(({ text, end }, at) => {
      const spokenMs = this.#offset + end * 1000;
      const atMs = (notes) => (notes[at]?.text === text ? notes[at].ms : nowMs);
      this.#seen.push(Math.max(0, atMs(this.#present.seen) - spokenMs));
      this.#settled.push(Math.max(0, atMs(this.#present.settled) - spokenMs));
    });
    this.#seen = this.#seen.slice(-KEPT);
    this.#settled = this.#settled.slice(-KEPT);
    this.#present = { seen: [], settled: [] };
  }

  /** Medians of the last words in seconds; null before the first. */
  get medians() {
    return { seenS: median(this.#seen), settledS: median(this.#settled) };
  }
}

function note(notes, text, nowMs) {
  const words = text.split(/\s+/u).filter(Boolean);
  words.forEach((word, at) => {
    if (notes[at]?.text !== word) notes[at] = { text: word, ms: nowMs };
  });
  notes.length = words.length;
}

function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] / 1000;
}
