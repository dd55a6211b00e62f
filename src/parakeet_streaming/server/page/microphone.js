/** A microphone in; pieces of 16-bit PCM with their level, out. */

const WANTED_HZ = 16_000;

export class Microphone {
  /** What `navigator.mediaDevices` gave; other transports than the socket send it themselves. */
  media;
  sampleRate;

  #context;
  #node;
  #flushed;

  /**
   * Call it from a click: phones let sound begin there only.
   * @param {{device: string, cleaned: boolean, piece: (pcm: ArrayBuffer, level: number) => void,
   *   lost: () => void}} options `lost` is called when the device is unplugged.
   * @throws {DOMException} it is refused, missing or in use.
   */
  static async open({ device, cleaned, piece, lost }) {
    const microphone = new Microphone();
    // Made within the click, before anything is awaited.
    microphone.#context = new AudioContext({ sampleRate: WANTED_HZ, latencyHint: "interactive" });
    try {
      microphone.media = await navigator.mediaDevices.getUserMedia({
        audio: {
          channelCount: 1,
          echoCancellation: cleaned,
          noiseSuppression: cleaned,
          autoGainControl: cleaned,
          ...(device ? { deviceId: { exact: device } } : {}),
        },
      });
      await microphone.#listen(piece);
    } catch (error) {
      microphone.#release();
      throw error;
    }
    microphone.media.getAudioTracks()[0].onended = lost;
    return microphone;
  }

  /** Ends it; what was said until now has come as pieces when this is done. */
  async stop() {
    this.media.getAudioTracks()[0].onended = null;
    this.#node.port.postMessage("stop");
    // A suspended context sends nothing more.
    await Promise.race([this.#flushed, new Promise((done) => setTimeout(done, 500))]);
    this.#release();
  }

  async #listen(piece) {
    let source;
    try {
      source = this.#context.createMediaStreamSource(this.media);
    } catch {
      // Firefox does not convert a microphone's rate; the server does.
      await this.#context.close();
      this.#context = new AudioContext({ latencyHint: "interactive" });
      source = this.#context.createMediaStreamSource(this.media);
    }
    const context = this.#context;
    this.sampleRate = context.sampleRate;
    await context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    this.#node = new AudioWorkletNode(context, "capture", {
      channelCount: 1,
      channelCountMode: "explicit",
      numberOfOutputs: 0,
    });
    this.#flushed = new Promise((done) => {
      this.#node.port.onmessage = ({ data }) => {
        if (data.last) done();
        else piece(data.pcm, data.level);
      };
    });
    source.connect(this.#node);
    // A call, or the lock screen, suspends it on phones.
    context.onstatechange = () => {
      if (context.state === "interrupted" || context.state === "suspended") {
        context.resume().catch(() => {});
      }
    };
    await context.resume();
  }

  #release() {
    for (const track of this.media?.getTracks() ?? []) track.stop();
    this.#context.onstatechange = null;
    if (this.#context.state !== "closed") this.#context.close().catch(() => {});
  }
}

/** The microphones; they have names only after one was allowed. */
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((each) => each.kind === "audioinput" && each.deviceId && each.label);
}
