/** `/v1/stream`: 16-bit PCM in, events out; see transports.js. */
import { headers, protocols } from "./key.js";

const PATH = "v1/stream";
const BYTES_A_SAMPLE = 2;

/** @type {import("./transports.js").Transport} */
export const websocket = {
  name: "websocket",
  label: "WebSocket",
  note: "early words, too",
  isThere: () => true,
  absence: () => "",
  takes: () => true,
  connect: (options) => new SocketConnection(options),
};

class SocketConnection {
  #socket;
  #tell;
  #url;
  #key;
  #bytesASecond;
  #waiting = [];
  #waitingBytes = 0;
  #sentBytes = 0;
  #finished = false;
  #wasReady = false;
  #wasTold = false;
  #isOver = false;

  constructor({ sampleRate, context, key, tell }) {
    this.#tell = tell;
    this.#key = key;
    this.#bytesASecond = sampleRate * BYTES_A_SAMPLE;
    this.#url = new URL(PATH, document.baseURI);
    this.#url.searchParams.set("sample_rate", sampleRate);
    if (context !== null) this.#url.searchParams.set("context", context);
    const address = new URL(this.#url);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address, protocols(key));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = ({ data }) => this.#came(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  get waitingS() {
    return (this.#waitingBytes + this.#socket.bufferedAmount) / this.#bytesASecond;
  }

  get sentS() {
    return this.#sentBytes / this.#bytesASecond;
  }

  send(pcm) {
    this.#sentBytes += pcm.byteLength;
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(pcm);
    } else if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#waiting.push(pcm);
      this.#waitingBytes += pcm.byteLength;
    }
  }

  finish() {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('{"type":"finish"}');
  }

  abort() {
    this.#socket.close();
    this.#over(false);
  }

  #opened() {
    for (const each of this.#waiting) this.#socket.send(each);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#finished) this.#socket.send('{"type":"finish"}');
  }

  #came(event) {
    if (this.#isOver) return;
    this.#wasReady ||= event.type === "ready";
    this.#wasTold = event.type === "error";
    this.#tell(event);
  }

  async #closed(code, reason) {
    if (this.#isOver) return;
    if (!this.#wasReady) {
      this.#tell(await this.#refusal());
    } else if (code !== 1000 && code !== 1012 && !this.#wasTold) {
      this.#tell({ type: "error", code: "connection_lost", message: reason });
    }
    this.#over(code === 1000 || code === 1012);
  }

  #over(normal) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell({ type: "closed", normal });
  }

  /** Browsers do not say why a socket was refused; a request of the same is answered with it. */
  async #refusal() {
    try {
      const reply = await fetch(this.#url, { headers: headers(this.#key), cache: "no-store" });
      const { error } = await reply.json();
      // The next try would have been taken.
      const code = reply.status === 426 ? "connection_lost" : error.code;
      return { type: "error", code, message: error.message };
    } catch {
      return { type: "error", code: "unreachable", message: "" };
    }
  }
}
