/** The page: its elements joined to recordings and files. */
import { ask, kept } from "./key.js";
import { LevelView } from "./level_view.js";
import { microphones } from "./microphone.js";
import { ofBrowser, ofServer, withoutMicrophone } from "./problems.js";
import { Recording } from "./recording.js";
import { Settings } from "./settings.js";
import { TakeView } from "./take_view.js";
import { clock, seconds } from "./transcript.js";
import { transports } from "./transports.js";
import { FileQueue } from "./file_queue.js";

const STATES = { opening: "Connecting", listening: "Listening", finishing: "Finishing", over: "Ready" };
const WRONG_KEY = "invalid_api_key";

const element = (id) => document.getElementById(id);

class Page {
  #about;
  #settings;
  #recording = null;
  #view = null;
  #levels = new LevelView();
  #ticking = null;
  #awake = null;
  #takes = 0;

  async open() {
    element("alert-close").onclick = () => this.#complain(null);
    try {
      const reply = await fetch(new URL("page/about.json", document.baseURI), { cache: "no-store" });
      this.#about = await reply.json();
    } catch {
      element("state").textContent = "Not connected";
      this.#complain(ofServer({ code: "unreachable" }));
      return;
    }
    this.#settings = new Settings(this.#about, transports);
    if (this.#about.model !== null) this.#showModel(this.#about.model);
    this.#showReplicas(Object.values(this.#about.sockets_of_replicas ?? {}));
    this.#openKeys();
    this.#openMicrophone();
    if (this.#about.files) this.#openFiles();
    window.addEventListener("beforeunload", (event) => {
      if (this.#isLive) event.preventDefault();
    });
  }

  get #isLive() {
    return this.#recording !== null && this.#recording.state !== "over";
  }

  #openKeys() {
    const button = element("change-key");
    button.hidden = !this.#about.needs_key;
    button.onclick = async () => {
      const key = await ask(null);
      if (key !== null) kept.key = key;
    };
  }

  #openMicrophone() {
    const problem = withoutMicrophone();
    if (problem !== null) {
      element("state").textContent = "No microphone here";
      element("empty-text").textContent = this.#about.files ? "Choose a recording." : "";
      this.#complain(problem);
      return;
    }
    element("state").textContent = STATES.over;
    element("record").disabled = false;
    element("record").onclick = () => this.#toggle();
    void this.#listDevices();
    navigator.mediaDevices.addEventListener("devicechange", () => void this.#listDevices());
  }

  #openFiles() {
    const queue = new FileQueue({
      mostMegabytes: this.#about.upload_megabytes,
      key: (why) => this.#key(why),
      added: (transcript, remove) => this.#addTake(transcript, remove),
      failed: (error) => this.#complain(ofServer(error)),
    });
    element("files").hidden = false;
    element("choose").onclick = () => element("file").click();
    element("file").onchange = ({ target }) => {
      queue.add(target.files);
      target.value = "";
    };
    this.#openDrop(queue);
  }

  #openDrop(queue) {
    let depth = 0;
    const over = (change) => {
      depth = Math.max(0, depth + change);
      element("drop").hidden = depth === 0;
    };
    const of = (what) => (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      what(event);
    };
    window.addEventListener("dragenter", of(() => over(1)));
    window.addEventListener("dragleave", of(() => over(-1)));
    window.addEventListener("dragover", of(() => {}));
    window.addEventListener("drop", of((event) => {
      over(-depth);
      queue.add(event.dataTransfer.files);
    }));
  }

  /** The key where one is needed; null if it was not given. `why`: what is wrong with the last. */
  async #key(why = null) {
    if (!this.#about.needs_key) return "";
    if (why !== null) kept.key = null;
    kept.key ??= await ask(why);
    return kept.key;
  }

  async #toggle() {
    if (this.#isLive) await this.#recording.stop();
    else await this.#start();
  }

  async #start(why = null) {
    this.#complain(null);
    const key = await this.#key(why);
    if (key === null) return;
    let isWrongKey = false;
    const recording = new Recording({
      changed: () => this.#show(recording),
      level: (level) => this.#levels.add(level),
      unplugged: () => this.#complain("The microphone was disconnected. What was said is kept."),
      failed: (error) => {
        isWrongKey = error.code === WRONG_KEY;
        if (!isWrongKey) this.#complain(ofServer(error));
      },
      over: () => {
        this.#ended(recording);
        if (isWrongKey) void this.#start(ofServer({ code: WRONG_KEY }));
      },
    });
    this.#recording = recording;
    this.#view = this.#addTake(recording.transcript);
    this.#view.isLive = true;
    this.#settings.disabled = true;
    this.#show(recording);
    this.#ticking = setInterval(() => this.#tick(), 250);
    void this.#stayAwake();
    try {
      await recording.start({ ...this.#settings.chosen, key });
      void this.#listDevices();
    } catch (error) {
      this.#complain(ofBrowser(error));
    }
  }

  /** Adds an article; without `remove` its removal is nobody's business. */
  #addTake(transcript, remove = () => {}) {
    this.#takes += 1;
    element("empty").hidden = true;
    const view = new TakeView(transcript, {
      remove: () => {
        remove();
        this.#removeTake(view);
      },
    });
    return view;
  }

  #removeTake(view) {
    view.remove();
    this.#takes -= 1;
    element("empty").hidden = this.#takes > 0;
    // What had the focus is gone.
    element("transcripts").focus();
  }

  #show(recording) {
    if (recording !== this.#recording) return;
    this.#view?.update();
    const { state, transcript, delays } = recording;
    element("state").textContent = STATES[state];
    document.body.dataset.state = state;
    const isLive = state !== "over";
    element("record-text").textContent = isLive ? "Stop" : "Start";
    if (transcript.model !== null) this.#showModel(transcript.model);
    const { seenS, settledS } = delays.medians;
    element("seen").textContent = seenS === null ? "–" : seconds(seenS);
    element("settled").textContent = settledS === null ? "–" : seconds(settledS);
  }

  #tick() {
    element("clock").hidden = false;
    element("clock").textContent = clock(this.#recording.audioS);
  }

  #ended(recording) {
    clearInterval(this.#ticking);
    this.#awake?.release().catch(() => {});
    this.#awake = null;
    this.#levels.clear();
    element("clock").hidden = true;
    this.#settings.disabled = false;
    const view = this.#view;
    view.isLive = false;
    view.update();
    if (!recording.transcript.isEmpty) return;
    if (recording.wasHeard) view.note("No words were recognised.");
    else this.#removeQuietly(view);
  }

  #removeQuietly(view) {
    view.remove();
    this.#takes -= 1;
    element("empty").hidden = this.#takes > 0;
  }

  #showModel(name) {
    element("model").hidden = false;
    element("model").textContent = name;
  }

  /** @param {number[]} sockets of each replica; none where the server is alone. */
  #showReplicas(sockets) {
    const open = sockets.reduce((sum, each) => sum + each, 0);
    element("replicas").hidden = sockets.length === 0;
    element("replicas").textContent = `${sockets.length} replicas, ${open} open`;
  }

  #complain(text) {
    element("alert").hidden = text === null;
    element("alert-text").textContent = text ?? "";
  }

  async #listDevices() {
    try {
      this.#settings.devices = await microphones();
    } catch {
      // Without their names the browser's own choice is taken.
    }
  }

  /** Phones lock their screen, and with it the microphone. */
  async #stayAwake() {
    try {
      this.#awake = await navigator.wakeLock?.request("screen");
      if (!this.#isLive) await this.#awake?.release();
    } catch {
      this.#awake = null; // it saves power
    }
  }
}

await new Page().open();
