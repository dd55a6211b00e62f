/** A file in; its text as it is decoded, and the whole at the end, out (OpenAI's REST API). */
import { headers } from "./key.js";

const PATH = "v1/audio/transcriptions";

/**
 * @param {File} file
 * @param {{key: ?string, sent: (part: number) => void, heard: (text: string) => void}} options `sent` gets 0 to 1
 * @returns {{answer: Promise<object>, abort: () => void}} the answer is `verbose_json`; it fails
 *   with `{code, message}`
 */
export function upload(file, { key, sent, heard }) {
  // Not `fetch`, which does not tell how much was sent.
  const request = new XMLHttpRequest();
  const answer = new Promise((done, fail) => {
    const reader = new EventReader((event) => {
      if (event.error) fail(event.error);
      else if (event.type === "transcript.text.delta") heard(event.delta);
      else if (event.type === "transcript.text.done") done(event);
    });
    request.upload.onprogress = ({ loaded, total }) => sent(total > 0 ? loaded / total : 0);
    request.onprogress = () => {
      if (request.status === 200) reader.read(request.responseText);
    };
    request.onload = () => {
      if (request.status !== 200) return fail(refusal(request));
      reader.read(request.responseText);
      fail({ code: "connection_lost", message: "" }); // unless it is done
    };
    request.onerror = () => fail({ code: "unreachable", message: "" });
    request.onabort = () => fail({ code: "aborted", message: "" });
  });
  request.open("POST", new URL(PATH, document.baseURI));
  for (const [name, value] of Object.entries(headers(key))) request.setRequestHeader(name, value);
  request.send(form(file));
  return { answer, abort: () => request.abort() };
}

function form(file) {
  const fields = new FormData();
  fields.append("model", "whisper-1"); // any name stands for what is loaded
  fields.append("response_format", "verbose_json");
  fields.append("timestamp_granularities[]", "word");
  fields.append("timestamp_granularities[]", "segment");
  fields.append("stream", "true");
  fields.append("file", file);
  return fields;
}

function refusal(request) {
  try {
    return JSON.parse(request.responseText).error;
  } catch {
    return { code: "", message: `status ${request.status}` };
  }
}

/** Server-sent events of a text that grows. */
class EventReader {
  #at = 0;
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  read(text) {
    for (let end = text.indexOf("\n\n", this.#at); end >= 0; end = text.indexOf("\n\n", this.#at)) {
      const block = text.slice(this.#at, end);
      this.#at = end + 2;
      if (block.startsWith("data: ")) this.#tell(JSON.parse(block.slice("data: ".length)));
    }
  }
}
