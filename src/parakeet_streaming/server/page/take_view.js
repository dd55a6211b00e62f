/** A transcript in; an article of the page with its tools, out. */
import { rendered, txt } from "./formats.js";
import { kept } from "./key.js";
import { ofServer } from "./problems.js";
import { clock, seconds } from "./transcript.js";

export class TakeView {
  #article;
  #list;
  #transcript;
  #parts = {};
  #remarks = 0;

  /**
   * @param {import("./transcript.js").Transcript} transcript
   * @param {{remove: () => void}} options `remove` is called when its button is pressed
   */
  constructor(transcript, { remove }) {
    this.#transcript = transcript;
    const template = document.getElementById("take-template");
    this.#article = template.content.firstElementChild.cloneNode(true);
    const find = (selector) => this.#article.querySelector(selector);
    for (const name of ["take-about", "now", "committed", "tentative", "remarks", "progress-field"]) {
      this.#parts[name] = find(`.${name}`);
    }
    this.#list = find("ol");
    const title = find("h2");
    title.textContent = transcript.source;
    this.#article.setAttribute("aria-label", transcript.source);
    const of = ` of ${transcript.source}`;
    for (const button of this.#article.querySelectorAll("[data-do]")) {
      const what = button.dataset.do;
      if (what === "copy") button.setAttribute("aria-label", `Copy the text${of}`);
      else if (what === "remove") button.setAttribute("aria-label", `Remove the transcript${of}`);
      button.onclick = () => this.#do(what, button, remove);
    }
    document.getElementById("takes").prepend(this.#article);
    this.update();
  }

  remove() {
    this.#article.remove();
  }

  /** Shows the transcript as it is now. */
  update() {
    const { utterances, committed, tentative, remarks } = this.#transcript;
    const { now } = this.#parts;
    const follows = isSeen(now);
    if (utterances.length < this.#list.children.length) this.#list.replaceChildren();
    for (const each of utterances.slice(this.#list.children.length)) this.#list.append(entry(each));
    this.#parts.committed.textContent = committed.trimStart();
    this.#parts.tentative.textContent = committed === "" ? tentative.trimStart() : tentative;
    for (const each of remarks.slice(this.#remarks)) this.#parts.remarks.append(listed(each));
    this.#remarks = remarks.length;
    this.#parts["take-about"].textContent = this.#about();
    const isEmpty = utterances.length === 0;
    for (const button of this.#article.querySelectorAll("[data-do]")) {
      if (button.dataset.do !== "remove") button.disabled = isEmpty;
    }
    if (follows) now.scrollIntoView({ block: "nearest" });
  }

  /** Whether sound still comes. */
  set isLive(live) {
    this.#article.classList.toggle("live", live);
    this.#article.querySelector("[data-do=remove]").hidden = live;
  }

  /** Of a file: 0 to 1, null for a length that is not known, and words for it; no words at the end. */
  progress(part, words) {
    const field = this.#parts["progress-field"];
    field.hidden = words === null;
    if (words === null) return;
    const bar = field.querySelector("progress");
    bar.setAttribute("aria-label", words);
    if (part === null) bar.removeAttribute("value");
    else bar.value = part;
    field.querySelector(".progress-text").textContent = words;
  }

  /** Says in the place of text why there is none. */
  note(text) {
    this.#parts.remarks.append(listed(text));
  }

  #about() {
    const { started, audioS, latencyS } = this.#transcript;
    const at = started.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const parts = [at];
    if (audioS > 0) parts.push(clock(audioS));
    if (latencyS !== null) parts.push(`${seconds(latencyS)} delay`);
    return parts.join(" · ");
  }

  async #do(what, button, remove) {
    if (what === "remove") remove();
    else if (what === "copy") await this.#copy(button);
    else await this.#download(what);
  }

  async #copy(button) {
    const done = await copied(txt(this.#transcript));
    button.textContent = done ? "Copied" : "Not allowed";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  async #download(name) {
    let file;
    try {
      file = await rendered(this.#transcript, name, kept.key);
    } catch (error) {
      this.note(`No ${name}: ${ofServer(error)}`);
      return;
    }
    const address = URL.createObjectURL(file);
    const link = document.createElement("a");
    link.href = address;
    link.download = `${fileName(this.#transcript)}.${name}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

function entry({ text, start, end }) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = `PT${start.toFixed(2)}S`;
  time.textContent = clock(start);
  time.title = `${start.toFixed(2)} s to ${end.toFixed(2)} s`;
  const said = document.createElement("p");
  said.textContent = text;
  item.append(time, said);
  return item;
}

function listed(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

function isSeen(element) {
  const { bottom } = element.getBoundingClientRect();
  return bottom > 0 && bottom <= window.innerHeight + 48;
}

function fileName({ source, started, audioS }) {
  if (/\.\w{2,5}$/u.test(source)) return source.replace(/\.\w{2,5}$/u, "");
  const local = new Date(started.getTime() - started.getTimezoneOffset() * 60_000);
  return `transcript-${local.toISOString().slice(0, 16).replace(/[T:]/gu, "-")}`;
}

/** Pages without https have no clipboard, but an old way to it. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
