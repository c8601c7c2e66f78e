// Mouse, touch, wheel and keys on the paper. One pointer moves or measures, two pointers zoom.

const STEP = 0.15; // of the view, for an arrow key
const ZOOM = 1.3;

export class Gestures {
  constructor(viewer) {
    this.viewer = viewer;
    this.pointers = new Map();
    this.drag = null;
    const element = viewer.element;
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, (event) => this.up(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("keydown", (event) => this.press(event));
  }

  down(event) {
    if (event.button !== 0 || !this.viewer.paper) return;
    const edge = event.target.closest?.("[data-edge]");
    (edge ?? this.viewer.element).focus({ preventScroll: true });
    event.preventDefault();
    this.viewer.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size > 1) {
      this.drag = { kind: "pinch", ...this.spread() };
      return;
    }
    const point = this.viewer.point(event);
    if (edge) this.drag = { kind: "edge", edge: edge.dataset.edge, point };
    else if (this.viewer.isMeasuring) this.drag = { kind: "measure", point };
    else this.drag = { kind: "pan", x: event.clientX, y: event.clientY };
  }

  move(event) {
    if (!this.pointers.has(event.pointerId) || !this.drag) return;
    this.pointers.set(event.pointerId, event);
    if (this.drag.kind === "pinch") this.pinch();
    else if (this.drag.kind === "pan") this.pan(event);
    else this.measure(event, false);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || !this.drag) return;
    if (event.type === "pointerup" && (this.drag.kind === "edge" || this.drag.kind === "measure")) this.measure(event, true);
    this.drag = null;
  }

  pan(event) {
    const scale = this.viewer.mmPerPixel;
    this.viewer.moveView((this.drag.x - event.clientX) * scale, (this.drag.y - event.clientY) * scale);
    this.drag = { kind: "pan", x: event.clientX, y: event.clientY };
  }

  measure(event, hasEnded) {
    const point = this.viewer.point(event);
    const { calipers } = this.viewer;
    if (this.drag.kind === "edge") {
      calipers.shift(this.drag.edge, point.x - this.drag.point.x, point.y - this.drag.point.y, hasEnded);
      this.drag.point = point;
      return;
    }
    const start = this.drag.point;
    // A click without a movement measures nothing.
    const isMoved = Math.hypot(point.x - start.x, point.y - start.y) > 3 * this.viewer.mmPerPixel;
    if (isMoved) calipers.set({ left: start.x, right: point.x, top: start.y, bottom: point.y }, hasEnded);
  }

  spread() {
    const [a, b] = [...this.pointers.values()];
    return { distance: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 };
  }

  pinch() {
    if (this.pointers.size < 2) return;
    const now = this.spread();
    const scale = this.viewer.mmPerPixel;
    this.viewer.moveView((this.drag.x - now.x) * scale, (this.drag.y - now.y) * scale);
    if (this.drag.distance > 0) this.viewer.zoom(now.distance / this.drag.distance, { clientX: now.x, clientY: now.y });
    this.drag = { kind: "pinch", ...now };
  }

  wheel(event) {
    // The wheel belongs to the page until the reader chooses the paper.
    if (!this.viewer.paper || (!event.ctrlKey && !this.viewer.element.contains(document.activeElement))) return;
    const isOut = event.deltaY > 0;
    if (isOut && this.viewer.view.isWhole && !event.ctrlKey) return;
    event.preventDefault();
    this.viewer.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 240), event);
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.viewer.paper) return;
    const { viewer } = this;
    const { w, h } = viewer.view;
    const actions = {
      "+": () => viewer.zoom(ZOOM),
      "=": () => viewer.zoom(ZOOM),
      "-": () => viewer.zoom(1 / ZOOM),
      0: () => viewer.showWhole(),
      1: () => viewer.showSecond(),
      ArrowLeft: () => viewer.moveView(-STEP * w, 0),
      ArrowRight: () => viewer.moveView(STEP * w, 0),
      ArrowUp: () => viewer.moveView(0, -STEP * h),
      ArrowDown: () => viewer.moveView(0, STEP * h),
      PageUp: () => viewer.turn(-1),
      PageDown: () => viewer.turn(1),
      c: () => viewer.toggleCalipers(),
      C: () => viewer.toggleCalipers(),
      с: () => viewer.toggleCalipers(), // the same key on a Russian keyboard
      С: () => viewer.toggleCalipers(),
      Escape: () => viewer.toggleCalipers(false),
    };
    const action = actions[event.key];
    if (!action || (event.key.startsWith("Arrow") && viewer.view.isWhole)) return;
    event.preventDefault();
    action();
  }
}
