/** Events of a stream, or the answer for a file, in; utterances with times, out. Nothing else. */

/**
 * @typedef {{text: string, start: number, end: number, confidence?: number}} Word
 * @typedef {{text: string, start: number, end: number, words: Word[]}} Utterance
 */
export class Transcript {
  /** @type {Utterance[]} */
  utterances = [];
  /** Of the present utterance: what will not change, and what may. */
  committed = "";
  tentative = "";
  /** Things to know: lost sound, a changed context, hints. */
  remarks = [];
  audioS = 0;
  model = null;
  context = null;
  latencyS = null;

  /** @param {{source: string, started: Date}} about */
  constructor({ source, started }) {
    this.source = source;
    this.started = started;
  }

  get isEmpty() {
    return this.utterances.length === 0 && this.committed === "" && this.tentative === "";
  }

  /** Takes an event of `/v1/stream`; gives the utterance that has ended with it, or null. */
  take(event) {
    switch (event.type) {
      case "ready":
        this.model = event.model;
        this.context = event.context;
        this.latencyS = event.latency_s;
        return null;
      case "partial":
        this.committed += event.text;
        this.tentative = event.tentative;
        return null;
      case "final":
        return this.#ended(event);
      case "gap":
        this.remarks.push(`${seconds(event.end - event.start)} of sound at ${clock(event.start)} were lost.`);
        return null;
      case "context_changed":
        this.latencyS = event.latency_s;
        this.remarks.push(`From ${clock(event.at)} on the delay is ${seconds(event.latency_s)}: the server is busy.`);
        return null;
      case "hint":
        this.remarks.push(event.message);
        return null;
      default:
        return null;
    }
  }

  /** What was shown and has no end, because the connection broke, is kept as it was. */
  cutOff() {
    const text = this.committed.trim();
    const start = this.utterances.at(-1)?.end ?? 0;
    return this.#ended({ text, start, end: Math.max(start, this.audioS), words: [] });
  }

  /** Takes the answer for a file (`verbose_json` of OpenAI's API, with words and segments). */
  takeFile(answer) {
    this.committed = this.tentative = "";
    this.audioS = answer.duration;
    this.remarks = answer.warnings ?? [];
    const words = answer.words.map(({ word, ...times }) => ({ text: word, ...times }));
    let at = 0;
    this.utterances = answer.segments.map(({ text, start, end }) => {
      const first = at;
      for (let left = letters(text); left > 0 && at < words.length; at += 1) {
        left -= letters(words[at].text);
      }
      return { text: text.trim(), start, end, words: words.slice(first, at) };
    });
  }

  #ended({ text, start, end, words }) {
    this.committed = this.tentative = "";
    this.audioS = Math.max(this.audioS, end);
    if (text.trim() === "") return null;
    const utterance = { text: text.trim(), start, end, words: words ?? [] };
    // Where its words are known, silence around them is not part of it.
    if (utterance.words.length > 0) {
      utterance.start = utterance.words[0].start;
      utterance.end = utterance.words.at(-1).end;
    }
    this.utterances.push(utterance);
    return utterance;
  }
}

/** 75.2 → "1:15"; with hours where there are any. */
export function clock(time) {
  const whole = Math.max(0, Math.floor(time));
  const minutes = Math.floor(whole / 60) % 60;
  const tail = String(whole % 60).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** 0.96 → "0.96 s". */
export function seconds(time) {
  return `${Number(time.toFixed(time < 1 ? 2 : 1))} s`;
}

function letters(text) {
  return text.replace(/\s/gu, "").length;
}
