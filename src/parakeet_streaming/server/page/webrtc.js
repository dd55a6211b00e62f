/**
 * `/v1/realtime/calls`: the microphone's own track out, events of OpenAI Realtime in; see
 * transports.js.
 *
 * A call ends by a request: the server then tells the last words and closes the channel. A channel
 * that it closes without being asked means that it goes, or does not want to go on.
 */
import { headers } from "./key.js";
import { RealtimeEvents } from "./realtime_events.js";

const PATH = "v1/realtime/calls";
const CHANNEL = "oai-events";
/** OpenAI's words for our contexts; it has none for the others. */
const DELAYS = { low_latency: "minimal", balanced: "low", high_quality: "medium", offline_like: "high" };
/** Of sound in a packet of Opus, as all browsers send it. */
const PACKET_S = 0.02;
const COUNTED_EVERY_MS = 250;
const CONNECTS_WITHIN_MS = 10_000;
/** Without a sign of the other side; it may come back. */
const AWAY_MS = 5000;
/** The last packets are on their way, by another way than requests. */
const LAST_PACKETS_MS = 200;
const CLOSES_WITHIN_MS = 3000;

/** @type {import("./transports.js").Transport} */
export const webrtc = {
  name: "webrtc",
  label: "WebRTC",
  note: "final words only",
  isThere: (about) => about.webrtc && "RTCPeerConnection" in window,
  absence: (about) =>
    about.webrtc ? "not in this browser" : "not on this server: extra “webrtc” missing",
  takes: (context) => context in DELAYS,
  connect: (options) => new CallConnection(options),
};

class CallConnection {
  waitingS = 0;

  #peer = new RTCPeerConnection();
  #channel;
  #sender;
  #events;
  #tell;
  #key;
  #address = null;
  #packets = 0;
  #counting;
  #waiting = null;
  #isReady = false;
  #isFinished = false;
  #wasTold = false;
  #isOver = false;

  constructor({ media, context, latencyS, key, tell }) {
    this.#tell = tell;
    this.#key = key;
    this.#events = new RealtimeEvents(latencyS);
    this.#sender = this.#peer.addTrack(media.getAudioTracks()[0], media);
    this.#channel = this.#peer.createDataChannel(CHANNEL);
    this.#channel.onmessage = ({ data }) => this.#came(JSON.parse(data));
    this.#channel.onclose = () => void this.#closed();
    this.#peer.onconnectionstatechange = () => this.#changed();
    void this.#begin(context);
  }

  /** Packets are counted now and then, so it may be a little less than it is. */
  get sentS() {
    return this.#packets * PACKET_S;
  }

  send() {
    // The browser sends the track itself.
  }

  finish() {
    if (this.#isFinished) return;
    this.#isFinished = true;
    // Before it is ready, nothing is heard.
    if (!this.#isReady) this.#over(true);
    else this.#wait(LAST_PACKETS_MS, () => void this.#hangUp());
  }

  abort() {
    this.#over(false);
  }

  async #begin(context) {
    try {
      await this.#peer.setLocalDescription();
    } catch (error) {
      return this.#failed({ code: "", message: error.message });
    }
    const { answer, problem } = await this.#asked(context);
    if (this.#isOver) return this.#leave().catch(() => {});
    if (problem !== undefined) return this.#failed(problem);
    this.#wait(CONNECTS_WITHIN_MS, () => this.#failed({ code: "no_way_for_calls", message: "" }));
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      this.#failed({ code: "", message: error.message });
    }
    return undefined;
  }

  /** The server's answer to the offer, or why there is none. */
  async #asked(context) {
    const body = new FormData();
    body.append("sdp", this.#peer.localDescription.sdp);
    if (context !== null) {
      const input = { transcription: { delay: DELAYS[context] } };
      body.append("session", JSON.stringify({ type: "transcription", audio: { input } }));
    }
    try {
      const request = { method: "POST", body, headers: headers(this.#key), cache: "no-store" };
      const reply = await fetch(new URL(PATH, document.baseURI), request);
      const text = await reply.text();
      if (reply.status !== 201) return { problem: refusal(reply.status, text) };
      // A proxy may have put the server under a path that it does not know of.
      const id = reply.headers.get("Location").split("/").at(-1);
      this.#address = new URL(`${PATH}/${id}`, document.baseURI);
      return { answer: text };
    } catch {
      return { problem: { code: "unreachable", message: "" } };
    }
  }

  #came(told) {
    const event = this.#events.read(told);
    if (event === null || this.#isOver) return;
    if (event.type === "ready") this.#begun();
    this.#wasTold = event.type === "error";
    this.#tell(event);
  }

  #begun() {
    this.#isReady = true;
    clearTimeout(this.#waiting);
    this.#counting = setInterval(() => void this.#count(), COUNTED_EVERY_MS);
    addEventListener("pagehide", this.#leave);
  }

  async #count() {
    for (const each of (await this.#sender.getStats()).values()) {
      if (each.type === "outbound-rtp" && !this.#isFinished) this.#packets = each.packetsSent;
    }
  }

  #changed() {
    const { connectionState: state } = this.#peer;
    if (this.#isOver || state === "new" || state === "connecting") return;
    const code = this.#isReady ? "connection_lost" : "no_way_for_calls";
    if (state === "failed") this.#failed({ code, message: "" });
    else if (!this.#isReady || this.#isFinished) return; // another clock runs
    else if (state === "connected") clearTimeout(this.#waiting);
    else if (state === "disconnected") this.#wait(AWAY_MS, () => this.#failed({ code, message: "" }));
  }

  /** The channel was closed by the server. */
  async #closed() {
    if (this.#isOver) return;
    if (this.#isFinished || this.#wasTold) return this.#over(this.#isFinished);
    const code = await whyClosed();
    if (!this.#isOver) this.#failed({ code, message: "" });
  }

  async #hangUp() {
    try {
      await this.#leave();
    } catch {
      return this.#failed({ code: "connection_lost", message: "" });
    }
    // All was told; the channel is about to be closed.
    this.#wait(CLOSES_WITHIN_MS, () => this.#over(true));
    return undefined;
  }

  /** Lets the server know; it holds a place for a call. */
  #leave = async () => {
    if (this.#address === null) return;
    const how = { method: "POST", headers: headers(this.#key), keepalive: true };
    await fetch(`${this.#address}/hangup`, how);
  };

  #wait(ms, what) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => !this.#isOver && what(), ms);
  }

  #failed(error) {
    if (this.#isOver) return;
    this.#tell({ type: "error", code: error.code, message: error.message });
    this.#over(false);
  }

  #over(normal) {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#waiting);
    clearInterval(this.#counting);
    removeEventListener("pagehide", this.#leave);
    this.#peer.close();
    if (!this.#isReady) this.#leave().catch(() => {}); // it waits for us to connect
    this.#tell({ type: "closed", normal });
  }
}

function refusal(status, text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return { code: "", message: `status ${status}` };
  }
}

/** A channel has no close code. A server that stops says so elsewhere, or says nothing any more. */
async function whyClosed() {
  try {
    const { status } = await fetch(new URL("readyz", document.baseURI), { cache: "no-store" });
    return status === 503 ? "draining" : "ended_by_server";
  } catch {
    return "draining";
  }
}
