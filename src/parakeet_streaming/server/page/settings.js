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
  #ways;
  #contexts;
  #form = document.getElementById("settings");
  #device = document.getElementById("device");
  #cleaned = document.getElementById("cleaned");
  #kept = read();

  /**
   * @param {{name: string, latency_s: number, is_default: boolean}[]} contexts
   * @param {import("./transports.js").Transport[]} ways
   */
  constructor(contexts, ways) {
    this.#contexts = contexts;
    this.#ways = ways;
    const usual = contexts.find((each) => each.is_default).name;
    this.#offer("context", contexts.map(contextChoice), usual);
    this.#offer("way", ways.map(({ name, label, note }) => ({ name, label, note })), ways[0].name);
    document.getElementById("ways").hidden = ways.length < 2;
    this.#cleaned.checked = this.#kept.cleaned ?? false;
    this.#form.onsubmit = (event) => event.preventDefault();
    this.#form.onchange = () => this.#keep();
  }

  get chosen() {
    const { context, way } = this.#form.elements;
    const isDefault = this.#contexts.find(({ name }) => name === context.value).is_default;
    return {
      transport: this.#ways.find(({ name }) => name === way.value),
      // What the server does by itself it may adapt to its load.
      context: isDefault ? null : context.value,
      device: this.#device.value,
      cleaned: this.#cleaned.checked,
    };
  }

  set disabled(disabled) {
    for (const each of this.#form.elements) each.disabled = disabled;
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
      choice.querySelector("small").textContent = each.note;
      return choice;
    });
    document.getElementById(`${name}-choices`).replaceChildren(...made);
  }

  #keep() {
    const { context, way } = this.#form.elements;
    const chosen = {
      context: context.value,
      way: way.value,
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
  return { name, label, note: `${seconds(latencyS)} · ${use}` };
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS)) ?? {};
  } catch {
    return {};
  }
}
