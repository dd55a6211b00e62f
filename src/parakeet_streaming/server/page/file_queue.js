/** Files in; their transcripts, one after another, out. */
import { ofServer } from "./problems.js";
import { Transcript } from "./transcript.js";
import { upload } from "./upload.js";

const MEGABYTE = 1_000_000;
const WRONG_KEY = "invalid_api_key";

export class FileQueue {
  #options;
  #waiting = [];
  #isBusy = false;

  /**
   * @param {object} options
   * @param {number} options.mostMegabytes of one file
   * @param {(why: ?string) => Promise<?string>} options.key null if it was not given
   * @param {(transcript: Transcript, removed: () => void) => import("./take_view.js").TakeView} options.added
   * @param {(error: {code: string, message: string}) => void} options.failed
   */
  constructor(options) {
    this.#options = options;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      if (file.size > this.#options.mostMegabytes * MEGABYTE) {
        const message = `${file.name} is too large; a file may have ${this.#options.mostMegabytes} MB`;
        this.#options.failed({ code: "", message });
      } else {
        this.#waiting.push(this.#shown(file));
      }
    }
    void this.#work();
  }

  #shown(file) {
    const transcript = new Transcript({ source: file.name, started: new Date() });
    const job = { file, transcript, isRemoved: false, abort: () => {} };
    job.view = this.#options.added(transcript, () => {
      job.isRemoved = true;
      job.abort();
    });
    job.view.progress(null, "Waiting");
    return job;
  }

  async #work() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      if (!job.isRemoved) await this.#transcribe(job, null);
    }
    this.#isBusy = false;
  }

  async #transcribe(job, why) {
    const { file, transcript, view } = job;
    const key = await this.#options.key(why);
    if (key === null) {
      view.progress(null, null);
      view.note("No key was given, so this file was not sent.");
      return;
    }
    const { answer, abort } = upload(file, {
      key,
      sent: (part) => {
        if (part < 1) view.progress(part, `Sending, ${Math.floor(part * 100)} %`);
        else view.progress(null, "Transcribing");
      },
      heard: (text) => {
        transcript.committed += text;
        view.update();
      },
    });
    job.abort = abort;
    try {
      transcript.takeFile(await answer);
      if (transcript.isEmpty) view.note("No words were recognised.");
    } catch (error) {
      if (error.code === WRONG_KEY) return this.#transcribe(job, ofServer(error));
      if (error.code !== "aborted") view.note(ofServer(error));
      transcript.cutOff();
    }
    view.progress(null, null);
    view.update();
    return undefined;
  }
}
