/** What the server has in; what a person has chosen, out. It is kept for the next visit. */
import { seconds } from "./transcript.js";

const KEPT_AS = "parakeet-settings";
/** Names and uses of the presets; another context is shown as it is. */
const CONTEXTS = {
  ultra_low_latency: ["Lowest", "rough text"],
  low_latency: ["Low", "commands"],
  balanced: ["Balanced", "captions"],
  high_quality: ["High quality", "meetings"],
  offline_like: ["Best text", "dictation"],
  frame_by_frame: ["Even flow", "word by word"],
};

export class Settings {
  #about;
  #transports;
  #form = document.getElementById("settings");
  #device = document.getElementById("device");
  #cleaned = document.getElementById("cleaned");
  #kept = read();
  #wished;
  #isDisabled = false;

  /**
   * @param {{contexts: {name: string, latency_s: number, is_default: boolean}[]}} about the server
   * @param {import("./transports.js").Transport[]} transports
   */
  constructor(about, transports) {
    this.#about = about;
    this.#transports = transports;
    this.#offer("context", about.contexts.map(contextChoice), this.#usual);
    this.#offer("way", transports.map(({ name, label }) => ({ name, label })), transports[0].name);
    this.#wished = this.#form.elements.context.value;
    this.#cleaned.checked = this.#kept.cleaned ?? false;
    this.#form.onsubmit = (event) => event.preventDefault();
    this.#form.onchange = ({ target }) => {
      if (target.name === "context") this.#wished = target.value;
      this.#limit();
      this.#keep();
    };
    this.#limit();
  }

  get chosen() {
    const context = this.#about.contexts.find(({ name }) => name === this.#form.elements.context.value);
    return {
      transport: this.#transport,
      // What the server does by itself it may adapt to its load.
      context: context.is_default ? null : context.name,
      latencyS: context.latency_s,
      device: this.#device.value,
      cleaned: this.#cleaned.checked,
    };
  }

  set disabled(disabled) {
    this.#isDisabled = disabled;
    for (const each of this.#form.elements) each.disabled = disabled;
    this.#limit();
  }

  set devices(devices) {
    const wanted = this.#device.value || this.#kept.device;
    this.#device.replaceChildren(
      new Option("The browser's choice", ""),
      ...devices
        .filter(({ deviceId }) => deviceId !== "default")
        .map(({ label, deviceId }) => new Option(label, deviceId)),
    );
    if (devices.some(({ deviceId }) => deviceId === wanted)) this.#device.value = wanted;
    document.getElementById("device-field").hidden = devices.length < 2;
  }

  get #usual() {
    return this.#about.contexts.find((each) => each.is_default).name;
  }

  get #transport() {
    return this.#transports.find(({ name }) => name === this.#form.elements.way.value);
  }

  /** What is not there is shown, and cannot be chosen. */
  #limit() {
    for (const each of this.#transports) {
      const isThere = each.isThere(this.#about);
      this.#show("way", each.name, isThere ? each.note : each.absence(this.#about), isThere);
      if (!isThere && this.#transport === each) this.#choose("way", this.#transports[0].name);
    }
    const transport = this.#transport;
    const fits = ({ name, is_default: isDefault }) => isDefault || transport.takes(name);
    for (const each of this.#about.contexts) {
      const { note, latency } = contextChoice(each);
      this.#show("context", each.name, fits(each) ? note : `${latency} · not by ${transport.label}`, fits(each));
    }
    const wished = this.#about.contexts.find(({ name }) => name === this.#wished);
    this.#choose("context", fits(wished) ? wished.name : this.#usual);
  }

  #input(group, name) {
    return this.#form.querySelector(`[name=${group}][value="${CSS.escape(name)}"]`);
  }

  #choose(group, name) {
    this.#input(group, name).checked = true;
  }

  #show(group, name, note, isThere) {
    const input = this.#input(group, name);
    input.disabled = this.#isDisabled || !isThere;
    const choice = input.closest(".choice");
    choice.classList.toggle("absent", !isThere);
    choice.querySelector("small").textContent = note;
  }

  #offer(name, choices, usual) {
    const template = document.getElementById("choice-template");
    const wanted = choices.some((each) => each.name === this.#kept[name]) ? this.#kept[name] : usual;
    const made = choices.map((each) => {
      const choice = template.content.firstElementChild.cloneNode(true);
      const input = choice.querySelector("input");
      input.name = name;
      input.value = each.name;
      input.checked = each.name === wanted;
      choice.querySelector("b").textContent = each.label;
      return choice;
    });
    document.getElementById(`${name}-choices`).replaceChildren(...made);
  }

  #keep() {
    const chosen = {
      context: this.#wished,
      way: this.#form.elements.way.value,
      device: this.#device.value,
      cleaned: this.#cleaned.checked,
    };
    try {
      localStorage.setItem(KEPT_AS, JSON.stringify(chosen));
    } catch {
      // A browser that keeps nothing asks again.
    }
  }
}

function contextChoice({ name, latency_s: latencyS }) {
  const [label, use] = CONTEXTS[name] ?? [name, "the server's own"];
  const latency = seconds(latencyS);
  return { name, label, latency, note: `${latency} · ${use}` };
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS)) ?? {};
  } catch {
    return {};
  }
}
