/** A transcript in; txt, srt, vtt and json out, by the rules of `parakeet transcribe`. */

const LINE = 42;
const LINES = 2;
const CUE_S = 7;
const SHORTEST_S = 0.7;
const LEAST_S = 0.1;
const PAUSE_S = 1;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60]/u;

export const FORMATS = {
  txt: { render: txt, type: "text/plain" },
  srt: { render: srt, type: "application/x-subrip" },
  vtt: { render: vtt, type: "text/vtt" },
  json: { render: json, type: "application/json" },
};

/** One line for each utterance. */
export function txt({ utterances }) {
  return utterances.map(({ text }) => `${text}\n`).join("");
}

export function srt(transcript) {
  const one = ({ start, end, text }, number) =>
    `${number + 1}\n${time(start, ",")} --> ${time(end, ",")}\n${widened(text)}\n`;
  return cues(transcript).map(one).join("\n");
}

export function vtt(transcript) {
  const one = ({ start, end, text }) => `\n${time(start, ".")} --> ${time(end, ".")}\n${escaped(text)}\n`;
  return `WEBVTT\n${cues(transcript).map(one).join("")}`;
}

export function json(transcript) {
  const { source, started, utterances, model, context, latencyS, audioS, remarks } = transcript;
  const told = {
    source,
    started: started.toISOString(),
    text: utterances.map(({ text }) => text).join(" "),
    words: utterances.flatMap(({ words }) => words),
    segments: utterances.map(({ text, start, end }) => ({ text, start, end })),
    model,
    context,
    latency_s: latencyS,
    audio_s: Math.round(audioS * 1000) / 1000,
    remarks,
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}

/** Subtitles: at most two lines of 42 columns and 7 s; they do not overlap, nor outlast the sound. */
export function cues({ utterances, audioS }) {
  const groups = [];
  for (const unit of utterances.flatMap(units)) {
    if (groups.length === 0 || breaks(groups.at(-1), unit)) groups.push([]);
    groups.at(-1).push(unit);
  }
  let floor = 0;
  return groups.map((group, at) => {
    const start = Math.max(group[0].start, floor);
    const limit = groups[at + 1]?.[0].start ?? audioS;
    const wanted = Math.max(group.at(-1).end, start + SHORTEST_S);
    const end = Math.max(Math.min(wanted, start + CUE_S, limit), start + LEAST_S);
    floor = end;
    return { start, end, text: lines(group).join("\n") };
  });
}

/** Its words; where there are none its text, shared out over its time. */
function units({ text, start, end, words }) {
  const timed = words.length > 0 ? words : shared(text.split(/\s+/u).filter(Boolean), start, end);
  const cut = timed.flatMap((word) => (columns(word.text) <= LINES * LINE ? [word] : parts(word)));
  return cut.map((each, at) => ({ ...each, endsUtterance: at === cut.length - 1 }));
}

function parts({ text, start, end }) {
  const found = [""];
  for (const character of text) {
    if (columns(found.at(-1) + character) > LINE) found.push("");
    found[found.length - 1] += character;
  }
  return shared(found, start, end);
}

function shared(texts, start, end) {
  const part = (end - start) / texts.length;
  return texts.map((text, at) => ({ text, start: start + at * part, end: start + (at + 1) * part }));
}

function breaks(group, unit) {
  const last = group.at(-1);
  if (lines([...group, unit]).length > LINES || unit.end - group[0].start > CUE_S) return true;
  if (unit.start - group[0].start < LEAST_S) return false;
  return last.endsUtterance || /[.?!。！？]$/u.test(last.text) || unit.start - last.end >= PAUSE_S;
}

function lines(group) {
  const found = [];
  for (const { text } of group) {
    const longer = found.length > 0 ? `${found.at(-1)} ${text}` : text;
    if (found.length > 0 && columns(longer) <= LINE) found[found.length - 1] = longer;
    else found.push(text);
  }
  return found;
}

function columns(text) {
  let count = 0;
  for (const character of text) count += /\p{Mn}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return count;
}

function time(at, mark) {
  const ms = Math.round(at * 1000);
  const [hours, minutes, whole] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${whole}${mark}${String(ms % 1000).padStart(3, "0")}`;
}

/** SubRip has no escapes: what players take for markup becomes its wide form. */
function widened(text) {
  const wide = (found) => String.fromCodePoint(found.codePointAt(0) + 0xfee0);
  return text.replace(/[<>{}\\]|&(?=#?[\p{L}\p{N}_]+;)/gu, wide);
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
