// The drawn sheet: where its millimetres are seconds and millivolts.

import { getText } from "./server.js";

const GRID_MM = 265;
const STRIP_MM = 13;
const AXIS_MM = 4.5;
const MARGIN_MM = 1;
const LAST_SECOND_MM = 4; // half of the last number of seconds stands beyond the grid
const TRACES_MM = 250;
const LARGEST_WORD_PX = 26;

// The first corner of a path; its coordinates are hundredths of a millimetre.
function corner(svg, selector) {
  const found = svg.querySelector(selector)?.getAttribute("d").match(/^M(-?\d+) (-?\d+)/);
  if (!found) throw new Error(`the drawing has no ${selector}`);
  return { x: Number(found[1]) / 100, y: Number(found[2]) / 100 };
}

export class Paper {
  constructor(svg, choices) {
    this.svg = svg;
    this.choices = choices;
    const grid = corner(svg, ".grid-5mm");
    const frame = corner(svg, ".frame");
    this.left = frame.x; // of the first sample
    // What the page shows of the sheet: the grid and the strip of probabilities. The words stand on the page itself.
    this.crop = {
      x: grid.x - MARGIN_MM,
      y: grid.y - MARGIN_MM,
      w: GRID_MM + MARGIN_MM + LAST_SECOND_MM,
      h: frame.y + STRIP_MM + AXIS_MM + MARGIN_MM - grid.y,
    };
  }

  static async load(url, choices) {
    const text = await getText(url, "image/svg+xml");
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (svg.nodeName !== "svg") throw new Error("the drawing is no SVG");
    return new Paper(document.importNode(svg, true), choices);
  }

  get longest() {
    return TRACES_MM / this.choices.speed;
  }

  seconds(x) {
    return this.choices.start + (x - this.left) / this.choices.speed;
  }

  x(seconds) {
    return this.left + (seconds - this.choices.start) * this.choices.speed;
  }

  milliseconds(width) {
    return (1000 * width) / this.choices.speed;
  }

  millivolts(height) {
    return height / this.choices.gain;
  }

  // Keeps lines thin and words small when the paper is enlarged.
  scale(pixelsPerMm) {
    const widths = { "--trace-width": [0.22, 2], "--fine-width": [0.1, 1], "--bold-width": [0.2, 1.6] };
    for (const [name, [mm, most]] of Object.entries(widths)) {
      this.svg.style.setProperty(name, `${Math.min(mm * pixelsPerMm, most).toFixed(2)}px`);
    }
    for (const text of this.svg.querySelectorAll("text")) {
      text.dataset.size ??= text.getAttribute("font-size");
      text.setAttribute("font-size", Math.min(Number(text.dataset.size), LARGEST_WORD_PX / pixelsPerMm).toFixed(3));
    }
  }

  // The y of each trace's first corner, near its baseline; of one lead, if it is named.
  baselines(lead = "") {
    const traces = [...this.svg.querySelectorAll("path.trace")].filter((path) => !lead || path.dataset.lead === lead);
    return traces.map((path) => path.getAttribute("d").match(/^M-?\d+ (-?\d+)/)).filter(Boolean).map((found) => found[1] / 100);
  }

  translate(words) {
    for (const text of this.svg.querySelectorAll("text")) {
      const parts = text.textContent.split(", ").map((part) => words.marks[part] ?? words[part] ?? part);
      const joined = parts.join(", ").replace(/^(\d+) s$/, `$1 ${words.s}`);
      text.textContent = /^\d\.\d+$/.test(joined) ? joined.replace(".", words.decimal) : joined;
    }
  }
}
