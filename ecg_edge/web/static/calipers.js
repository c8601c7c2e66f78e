// Calipers: a box on the paper whose width is a time and whose height is a voltage.

import { fill } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const EDGES = ["left", "right", "top", "bottom"];
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SHORTEST_BEAT_MS = 100;

function create(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export class Calipers {
  constructor(words, onChange) {
    this.words = words;
    this.onChange = onChange; // called with whether the movement has ended
    this.paper = null;
    this.box = null;
    this.svg = create("svg", { class: "calipers" });
    this.area = create("rect", { class: "calipers-area", tabindex: 0, role: "img", "data-edge": "all" });
    this.svg.append(this.area);
    this.edges = Object.fromEntries(EDGES.map((edge) => [edge, this.createEdge(edge)]));
    this.svg.addEventListener("keydown", (event) => this.press(event));
    this.draw();
  }

  createEdge(edge) {
    const across = edge === "left" || edge === "right";
    const group = create("g", { tabindex: 0, role: "slider", "data-edge": edge, "aria-label": this.words[edge] });
    group.setAttribute("aria-orientation", across ? "horizontal" : "vertical");
    group.append(create("line", { class: "calipers-edge" }));
    group.append(create("line", { class: `calipers-grip ${across ? "across" : "along"}` }));
    this.svg.append(group);
    return group;
  }

  // Sets the two corners in millimetres of the paper; null takes the calipers away.
  set(box, hasEnded = true) {
    this.box = box;
    this.draw();
    this.onChange(hasEnded);
  }

  shift(edge, dx, dy, hasEnded = true) {
    const box = { ...this.box };
    if (edge === "left" || edge === "all") box.left += dx;
    if (edge === "right" || edge === "all") box.right += dx;
    if (edge === "top" || edge === "all") box.top += dy;
    if (edge === "bottom" || edge === "all") box.bottom += dy;
    this.set(box, hasEnded);
  }

  press(event) {
    const edge = event.target.closest("[data-edge]")?.dataset.edge;
    const direction = KEYS[event.key];
    if (!edge || !direction || !this.box || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const pixel = this.mmPerPixel * (event.shiftKey ? 10 : 1);
    this.shift(edge, direction[0] * pixel, direction[1] * pixel);
  }

  get measured() {
    const milliseconds = this.paper.milliseconds(Math.abs(this.box.right - this.box.left));
    const millivolts = this.paper.millivolts(Math.abs(this.box.bottom - this.box.top));
    return { milliseconds, millivolts, rate: milliseconds >= SHORTEST_BEAT_MS ? 60_000 / milliseconds : null };
  }

  get text() {
    const { milliseconds, millivolts, rate } = this.measured;
    const words = this.words;
    const parts = [`${words.time} ${Math.round(milliseconds)} ${words.ms}`];
    if (rate !== null) parts.push(`${words.rate} ${Math.round(rate)} ${words.per_minute}`);
    parts.push(`${words.voltage} ${millivolts.toFixed(2).replace(".", words.decimal)} ${words.mV}`);
    return parts.join(" · ");
  }

  draw() {
    this.svg.toggleAttribute("hidden", !this.box);
    if (!this.box) return;
    const { left, right, top, bottom } = this.box;
    this.place(this.area, { x: Math.min(left, right), y: Math.min(top, bottom), width: Math.abs(right - left), height: Math.abs(bottom - top) });
    this.area.setAttribute("aria-label", `${this.words.all}: ${this.text}`);
    const lines = { left: [left, top, left, bottom], right: [right, top, right, bottom], top: [left, top, right, top], bottom: [left, bottom, right, bottom] };
    for (const [edge, [x1, y1, x2, y2]] of Object.entries(lines)) {
      for (const line of this.edges[edge].children) this.place(line, { x1, y1, x2, y2 });
      this.describe(edge);
    }
  }

  place(element, attributes) {
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value.toFixed(4));
  }

  describe(edge) {
    const across = edge === "left" || edge === "right";
    const value = across ? this.paper.seconds(this.box[edge]) : this.paper.millivolts(this.box.bottom - this.box[edge]);
    const [least, most] = across ? [this.paper.choices.start, this.paper.choices.start + this.paper.longest] : [-20, 20];
    const shown = value.toFixed(across ? 3 : 2);
    const group = this.edges[edge];
    group.setAttribute("aria-valuemin", least);
    group.setAttribute("aria-valuemax", most);
    group.setAttribute("aria-valuenow", shown);
    const unit = across ? this.words.s : this.words.mV;
    group.setAttribute("aria-valuetext", fill("{value} {unit}; {all}", { value: shown.replace(".", this.words.decimal), unit, all: this.text }));
  }
}
