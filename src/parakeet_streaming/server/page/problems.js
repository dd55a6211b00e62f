/** What went wrong in; what a person can do about it, in plain words, out. */

const OF_THE_BROWSER = {
  NotAllowedError:
    "The microphone is blocked. Allow it for this page, at the left of the address bar, and start again.",
  SecurityError: "The browser's settings forbid the microphone on this page.",
  NotFoundError: "No microphone was found. Connect one and start again, or choose a recording.",
  OverconstrainedError: "The chosen microphone is not connected any more. Choose another one.",
  NotReadableError: "The microphone cannot be read. Another program may be using it.",
  AbortError: "The microphone could not be started. Try again.",
};

const OF_THE_SERVER = {
  no_capacity: "The server is full at the moment. Try again in a few seconds.",
  draining: "The server is about to restart. Try again in a minute.",
  unavailable: "The server cannot transcribe at the moment. Its log says why.",
  invalid_api_key: "The server does not know this key.",
  origin_not_allowed:
    "The server does not take sound from this address. Open the page at the server's own address, or start the server with --allow-origin.",
  rate_limit_exceeded: "Too many transcriptions run from here at once. Stop one and try again.",
  connection_lost: "The connection to the server was lost. What was heard until then is kept.",
  no_way_for_calls:
    "WebRTC found no way to the server: its sound goes over UDP, which a firewall or a proxy may stop. Choose WebSocket.",
  ended_by_server: "The server has ended the connection. What was heard until then is kept.",
  slow_reader: "The connection is too slow for the text that came back.",
  unreachable: "The server does not answer. Check that it runs, and your network.",
  internal_error: "The server failed at this. Its log says why.",
};

/** Of an exception that the browser threw. */
export function ofBrowser(error) {
  return OF_THE_BROWSER[error.name] ?? `That did not work: ${error.message || error}`;
}

/** Of an error of the server's: `{code, message}`. */
export function ofServer({ code, message }) {
  return OF_THE_SERVER[code] ?? `The server says: ${message || code || "that did not work"}.`;
}

/** Why there can be no microphone at all; null if there can. */
export function withoutMicrophone() {
  if (!window.isSecureContext) {
    return "Browsers give the microphone only to pages from https or localhost. Start the server with --tls-cert, or put it behind a proxy with https.";
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    return "This browser is too old for live sound. Files can be transcribed.";
  }
  return null;
}
