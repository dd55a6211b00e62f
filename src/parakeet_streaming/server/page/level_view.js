/** Levels of sound in; moving bars, and a meter for screen readers, out. */

const BAR = 3;
const GAP = 3;
const QUIET_DB = -60;
const METER_EVERY_MS = 500;

export class LevelView {
  #canvas = document.getElementById("wave");
  #meter = document.getElementById("level");
  #still = window.matchMedia("(prefers-reduced-motion: reduce)");
  #levels = [];
  #toldMs = 0;
  #waits = false;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** The level of the next 40 ms: the root of the mean square, 1 for full scale. */
  add(level) {
    const decibels = 20 * Math.log10(Math.max(level, 1e-6));
    const part = Math.max(0, Math.min(1, 1 - decibels / QUIET_DB));
    this.#levels.push(part);
    this.#levels = this.#levels.slice(-400);
    const nowMs = performance.now();
    if (nowMs - this.#toldMs > METER_EVERY_MS) {
      this.#toldMs = nowMs;
      this.#meter.setAttribute("aria-valuenow", String(Math.round(part * 100)));
    }
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => this.#draw());
  }

  clear() {
    this.#levels = [];
    this.#meter.setAttribute("aria-valuenow", "0");
    this.#draw();
  }

  #draw() {
    this.#waits = false;
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const paint = canvas.getContext("2d");
    paint.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const [colour, faint] = [style.color, style.getPropertyValue("--faint")];
    const count = Math.floor((width + GAP) / (BAR + GAP));
    for (let at = 0; at < count; at += 1) {
      const part = this.#part(at, count);
      const tall = Math.max(BAR, part * height);
      paint.fillStyle = part > 0.02 ? colour : faint;
      paint.beginPath();
      paint.roundRect(at * (BAR + GAP), (height - tall) / 2, BAR, tall, BAR / 2);
      paint.fill();
    }
  }

  /** The bar at that place: levels that pass by, or without motion as many bars as it is loud. */
  #part(at, count) {
    const last = this.#levels.at(-1) ?? 0;
    if (this.#still.matches) return at < last * count ? 0.5 : 0;
    return this.#levels[this.#levels.length - count + at] ?? 0;
  }
}
