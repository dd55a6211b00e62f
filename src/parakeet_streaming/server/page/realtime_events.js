/** Events of OpenAI Realtime (transcription) in; those of `/v1/stream` out. Nothing else. */

const SPEECH = "input_audio_buffer.speech_";
const TRANSCRIPTION = "conversation.item.input_audio_transcription";

export class RealtimeEvents {
  #latencyS;
  #startS = 0;
  #endS = 0;

  /** @param {number} latencyS of the context, which this protocol does not tell */
  constructor(latencyS) {
    this.#latencyS = latencyS;
  }

  /** @returns {?object} null for an event that says nothing new */
  read(event) {
    switch (event.type) {
      case "session.created": {
        const { model } = event.session.audio.input.transcription;
        return { type: "ready", model, context: null, latency_s: this.#latencyS };
      }
      case `${SPEECH}started`:
        this.#startS = event.audio_start_ms / 1000;
        return null;
      case `${SPEECH}stopped`:
        this.#endS = event.audio_end_ms / 1000;
        return null;
      case `${TRANSCRIPTION}.delta`:
        return { type: "partial", text: event.delta, tentative: "" };
      case `${TRANSCRIPTION}.completed`:
        return this.#final(event);
      case "error":
        return { type: "error", code: event.error.code, message: event.error.message };
      default:
        return null;
    }
  }

  #final({ transcript, words }) {
    const start = this.#startS;
    const end = Math.max(start, this.#endS);
    const timed = words.map(({ word, ...times }) => ({ text: word, ...times }));
    return { type: "final", text: transcript, start, end, words: timed };
  }
}
