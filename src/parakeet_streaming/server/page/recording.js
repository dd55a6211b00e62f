/** A microphone and a transport in; a transcript that grows, and how it goes, out. */
import { Delays } from "./delays.js";
import { Microphone } from "./microphone.js";
import { Transcript } from "./transcript.js";

/** Of sound that waits to be sent: more, and the network is too slow. */
const MOST_WAITING_S = 30;

/** Its states in order: opening, listening, finishing, over. */
export class Recording {
  state = "opening";
  transcript = new Transcript({ source: "Microphone", started: new Date() });
  delays = new Delays();

  #microphone = null;
  #connection = null;
  #told;
  #isGoing = false;

  /**
   * @param {object} told
   * @param {() => void} told.changed the state, the transcript or the delays did
   * @param {(level: number) => void} told.level
   * @param {(error: {code: string, message: string}) => void} told.failed of the server
   * @param {() => void} told.unplugged
   * @param {() => void} told.over after all else
   */
  constructor(told) {
    this.#told = told;
  }

  /** Whether the server has listened at all. */
  wasHeard = false;

  get audioS() {
    return this.#connection?.sentS ?? 0;
  }

  /**
   * @param {{transport: import("./transports.js").Transport, device: string, cleaned: boolean,
   *   context: ?string, latencyS: number, key: ?string}} options
   * @throws {DOMException} there is no microphone.
   */
  async start({ transport, device, cleaned, context, latencyS, key }) {
    const early = [];
    try {
      this.#microphone = await Microphone.open({
        device,
        cleaned,
        piece: (pcm, level) => {
          if (this.#connection === null) early.push(pcm);
          else this.#send(pcm);
          this.#told.level(level);
        },
        lost: () => this.#lost(),
      });
    } catch (error) {
      this.#become("over");
      this.#told.over();
      throw error;
    }
    const { media, sampleRate } = this.#microphone;
    const tell = (event) => this.#came(event);
    this.#connection = transport.connect({ media, sampleRate, context, latencyS, key, tell });
    for (const pcm of early) this.#send(pcm);
  }

  /** Ends it, with all that was said. A second call ends it at once. */
  async stop() {
    if (this.state === "finishing") return this.#connection.abort();
    if (this.state === "over" || this.#connection === null) return undefined;
    this.#become("finishing");
    await this.#microphone.stop();
    this.#connection.finish();
    return undefined;
  }

  #send(pcm) {
    this.#connection.send(pcm);
    if (this.audioS > 0) this.delays.heard(this.audioS, performance.now());
    if (this.#connection.waitingS > MOST_WAITING_S && this.state !== "over") {
      this.#told.failed({ code: "connection_lost", message: "" });
      this.#connection.abort();
    }
  }

  #came(event) {
    const ended = this.transcript.take(event);
    const nowMs = performance.now();
    if (event.type === "partial") {
      this.delays.shown(this.transcript.committed, this.transcript.tentative, nowMs);
    } else if (event.type === "final") {
      this.delays.ended(ended?.words ?? [], nowMs);
    } else if (event.type === "ready") {
      this.wasHeard = true;
      if (this.state === "opening") this.#become("listening");
    } else if (event.type === "error") {
      // Sound that was on its way when the server began to go is answered with errors.
      if (!this.#isGoing) this.#told.failed(event);
    } else if (event.type === "going_away") {
      this.#isGoing = true;
      this.#told.failed({ code: "draining", message: event.reason });
      if (this.state !== "finishing") void this.stop();
    } else if (event.type === "closed") {
      this.#over();
    }
    this.transcript.audioS = Math.max(this.transcript.audioS, this.audioS);
    this.#told.changed();
  }

  #lost() {
    this.#told.unplugged();
    void this.stop();
  }

  #over() {
    this.transcript.audioS = this.audioS;
    this.transcript.cutOff();
    if (this.state !== "finishing") void this.#microphone.stop();
    this.#become("over");
    this.#told.over();
  }

  #become(state) {
    this.state = state;
    this.#told.changed();
  }
}
