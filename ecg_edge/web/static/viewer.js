// The paper on the screen: what is drawn, which part of it is seen, and the calipers on it.

import { Calipers } from "./calipers.js";
import { Gestures } from "./gestures.js";
import { Paper } from "./paper.js";
import { View } from "./view.js";
import { fill, readWords } from "./words.js";

const ZOOM = 1.5;
const LOWEST_PX = 320;
const LONGEST_PLACE_S = 4;

export class Viewer {
  constructor(root) {
    this.root = root;
    this.words = readWords(root);
    this.duration = Number(root.dataset.duration);
    this.element = root.querySelector("#paper");
    this.image = root.querySelector(".paper-image");
    this.choices = { layout: "3x4", speed: 25, gain: 10, start: 0 };
    this.paper = null;
    this.isMeasuring = false;
    this.calipers = new Calipers(this.words, (hasEnded) => this.showMeasured(hasEnded));
    this.readOut = document.createElement("div");
    this.readOut.className = "read-out";
    this.readOut.setAttribute("aria-hidden", "true");
    this.readOut.hidden = true;
    this.gestures = new Gestures(this);
    this.connect();
  }

  connect() {
    const find = (id) => this.root.querySelector(`#${id}`);
    for (const name of ["layout", "speed", "gain"]) {
      find(name).addEventListener("change", (event) => this.draw({ [name]: name === "layout" ? event.target.value : Number(event.target.value) }));
    }
    const buttons = {
      "zoom-in": () => this.zoom(ZOOM),
      "zoom-out": () => this.zoom(1 / ZOOM),
      "zoom-second": () => this.showSecond(),
      "zoom-whole": () => this.showWhole(),
      earlier: () => this.turn(-1),
      later: () => this.turn(1),
    };
    for (const [id, action] of Object.entries(buttons)) find(id).addEventListener("click", action);
    // A press of a key on the button has no place, so the calipers get one; a mouse draws them where it wants.
    find("calipers").addEventListener("click", (event) => this.toggleCalipers(!this.isMeasuring, event.detail === 0));
    find("start").addEventListener("change", (event) => this.draw({ start: Number(event.target.value) }));
    find("tools").hidden = false;
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "application");
    this.element.setAttribute("aria-labelledby", "ecg-title");
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  // Takes the drawing with other choices from the server; the last call wins.
  async draw(changes = {}) {
    const choices = { ...this.choices, ...changes };
    choices.start = Math.max(0, Math.min(choices.start, this.lastStart(choices.speed)));
    const url = new URL(this.root.dataset.svg, location.href);
    for (const [name, value] of Object.entries(choices)) url.searchParams.set(name, value);
    this.choices = choices;
    try {
      const paper = await Paper.load(url, choices);
      if (this.choices === choices) this.show(paper, url.href);
    } catch {
      this.root.querySelector("#shown").textContent = this.words.failed;
    }
  }

  show(paper, url) {
    paper.translate(this.words);
    this.paper = paper;
    this.calipers.paper = paper;
    this.calipers.set(null);
    this.element.classList.add("is-live");
    this.image.src = url; // for the printer
    for (const old of this.element.querySelectorAll(":scope > svg")) old.remove();
    this.element.append(paper.svg, this.calipers.svg, this.readOut);
    this.view = new View(paper.crop, this.choices.speed);
    this.resize();
    if (this.view.aspect < 1.3) this.view.fillHeight();
    this.update();
    this.showTimeLine();
  }

  lastStart(speed = this.choices.speed) {
    return Math.max(0, Math.ceil(this.duration - 250 / speed));
  }

  showTimeLine() {
    const last = this.lastStart();
    const range = this.root.querySelector("#start");
    this.root.querySelector("#time-line").hidden = last === 0;
    range.max = last;
    range.value = this.choices.start;
    this.root.querySelector("#earlier").disabled = this.choices.start <= 0;
    this.root.querySelector("#later").disabled = this.choices.start >= last;
  }

  resize() {
    const { clientWidth: width } = this.element;
    if (!this.paper || !width || matchMedia("print").matches) return;
    const { w, h } = this.paper.crop;
    const isNarrow = width < 700;
    const height = isNarrow ? Math.min(0.68 * innerHeight, width * 1.2) : Math.min((width * h) / w, 0.85 * innerHeight);
    this.element.style.height = `${Math.max(LOWEST_PX, height)}px`;
    this.view.resize(width / this.element.clientHeight);
    this.update();
  }

  get mmPerPixel() {
    return this.view.w / this.element.clientWidth;
  }

  // A place on the screen in millimetres of the paper.
  point(event) {
    const box = this.element.getBoundingClientRect();
    const scale = this.mmPerPixel;
    const border = this.element.clientLeft;
    return { x: this.view.x + (event.clientX - box.left - border) * scale, y: this.view.y + (event.clientY - box.top - border) * scale };
  }

  update() {
    const { x, y, w, h } = this.view;
    const viewBox = [x, y, w, h].map((value) => value.toFixed(4)).join(" ");
    this.paper.scale(1 / this.mmPerPixel);
    for (const svg of [this.paper.svg, this.calipers.svg]) svg.setAttribute("viewBox", viewBox);
    this.calipers.mmPerPixel = this.mmPerPixel;
    this.element.classList.toggle("is-zoomed", !this.view.isWhole && this.view.h < this.view.crop.h - 1e-6);
    const last = Math.min(this.duration, this.choices.start + this.paper.longest);
    const [from, to] = [x, x + w].map((edge) => Math.min(Math.max(this.paper.seconds(edge), this.choices.start), last));
    const show = (seconds) => seconds.toFixed(2).replace(".", this.words.decimal);
    this.root.querySelector("#shown").textContent = fill(this.words.shown, { from: show(from), to: show(to) });
    this.placeReadOut();
  }

  zoom(factor, event = null) {
    if (event) {
      const { x, y } = this.point(event);
      this.view.zoom(factor, x, y);
    } else this.view.zoom(factor);
    this.update();
  }

  moveView(dx, dy) {
    this.view.move(dx, dy);
    this.update();
  }

  showWhole() {
    this.view.whole();
    this.update();
  }

  // One second across, at the calipers, or else at the trace that is nearest to the middle.
  showSecond() {
    const { box } = this.calipers;
    if (box) {
      this.view.place((box.left + box.right) / 2, (box.top + box.bottom) / 2, 0);
      this.update();
      return;
    }
    const middle = this.view.y + this.view.h / 2;
    const nearest = this.paper.baselines().sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0] ?? middle;
    this.view.place(this.view.x + this.view.w / 2, nearest, 0);
    this.update();
  }

  async turn(direction) {
    await this.draw({ start: this.choices.start + direction * this.paper.longest });
  }

  async showPlace(start, end, lead) {
    const changes = {};
    const isDrawn = start >= this.choices.start && start < this.choices.start + this.paper.longest;
    if (!isDrawn) changes.start = Math.max(0, Math.floor(start - 1));
    // Only with one lead a row is each lead seen at every time.
    if (lead && this.choices.layout !== "12x1") changes.layout = "12x1";
    if (Object.keys(changes).length) await this.draw(changes);
    this.root.querySelector("#layout").value = this.choices.layout;
    const length = Math.min(end - start, LONGEST_PLACE_S);
    const x = this.paper.x(start + length / 2);
    const y = this.paper.baselines(lead)[0] ?? this.paper.crop.y + this.paper.crop.h / 2;
    this.view.place(x, y, (length + 2) * this.choices.speed);
    this.update();
    this.element.scrollIntoView({ block: "center" });
    this.element.focus({ preventScroll: true });
  }

  toggleCalipers(on = !this.isMeasuring, atOnce = true) {
    if (on === this.isMeasuring) return;
    this.isMeasuring = on;
    this.root.querySelector("#calipers").setAttribute("aria-pressed", String(on));
    this.element.classList.toggle("is-measuring", on);
    const { x, y, w, h } = this.view;
    const box = { left: x + 0.4 * w, right: x + 0.6 * w, top: y + 0.35 * h, bottom: y + 0.65 * h };
    this.calipers.set(on && atOnce ? box : null);
    if (!on && document.activeElement === document.body) this.element.focus({ preventScroll: true });
  }

  showMeasured(hasEnded) {
    const { box } = this.calipers;
    const text = box ? this.calipers.text : "";
    const line = this.root.querySelector("#measured");
    this.readOut.textContent = text;
    this.readOut.hidden = !box;
    // The line is read aloud, so it changes only at the end of a movement.
    if (hasEnded) line.textContent = text;
    line.hidden = !box;
    if (box) this.placeReadOut();
  }

  placeReadOut() {
    const { box } = this.calipers;
    if (!box) return;
    const scale = 1 / this.mmPerPixel;
    const { clientWidth, clientHeight } = this.element;
    const { offsetWidth, offsetHeight } = this.readOut;
    const left = (Math.min(box.left, box.right) - this.view.x) * scale;
    const above = (Math.min(box.top, box.bottom) - this.view.y) * scale - offsetHeight - 8;
    this.readOut.style.left = `${Math.max(4, Math.min(left, clientWidth - offsetWidth - 4))}px`;
    this.readOut.style.top = `${Math.max(4, Math.min(above, clientHeight - offsetHeight - 4))}px`;
  }
}
