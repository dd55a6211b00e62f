/**
 * The audio thread: samples of the microphone in; pieces of 40 ms as 16-bit PCM with their level, out.
 * On the message "stop" it sends what it holds, then `last`.
 */
const PIECE_S = 0.04;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * PIECE_S);
    this.running = true;
    this.begin();
    this.port.onmessage = () => {
      this.tell();
      this.port.postMessage({ last: true });
      this.running = false;
    };
  }

  begin() {
    this.piece = new Int16Array(this.size);
    this.count = 0;
    this.power = 0;
  }

  process([[samples]]) {
    if (!this.running || samples === undefined) return this.running;
    for (const sample of samples) {
      // Beyond full scale a sample would wrap round.
      this.piece[this.count++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.power += sample * sample;
      if (this.count === this.size) this.tell();
    }
    return true;
  }

  tell() {
    if (this.count === 0) return;
    const pcm = this.piece.slice(0, this.count).buffer;
    const level = Math.sqrt(this.power / this.count);
    this.port.postMessage({ pcm, level }, [pcm]);
    this.begin();
  }
}

registerProcessor("capture", Capture);
