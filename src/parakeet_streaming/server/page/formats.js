/** A transcript in; txt, srt, vtt and json out. The server makes the subtitles, by its own rules. */
import { headers } from "./key.js";

const TYPES = {
  txt: "text/plain",
  srt: "application/x-subrip",
  vtt: "text/vtt",
  json: "application/json",
};

/**
 * A transcript as a file.
 * @param {"txt" | "srt" | "vtt" | "json"} format
 * @param {?string} key where the server needs one
 * @returns {Promise<Blob>} it fails with `{code, message}` where the server makes no subtitles
 */
export async function rendered(transcript, format, key) {
  const made = { txt, json }[format]?.(transcript) ?? (await subtitles(transcript, format, key));
  return new Blob([made], { type: TYPES[format] });
}

async function subtitles({ utterances, audioS }, format, key) {
  const body = JSON.stringify({ format, utterances, audio_s: audioS });
  let reply;
  try {
    const path = new URL("page/subtitles", document.baseURI);
    reply = await fetch(path, { method: "POST", headers: headers(key), body });
  } catch {
    throw { code: "unreachable", message: "" };
  }
  if (reply.ok) return reply.text();
  throw await reply.json().then(
    ({ error }) => error,
    () => ({ code: "", message: `status ${reply.status}` }),
  );
}

/** One line for each utterance. */
export function txt({ utterances }) {
  return utterances.map(({ text }) => `${text}\n`).join("");
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
