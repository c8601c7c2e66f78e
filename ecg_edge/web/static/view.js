// The part of the paper that is seen, in millimetres. It never leaves the paper, and ends at one second across.

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

export class View {
  constructor(crop, speed) {
    this.crop = crop;
    this.narrowest = speed;
    this.aspect = crop.w / crop.h;
    this.whole();
  }

  get widest() {
    return Math.max(this.crop.w, this.crop.h * this.aspect);
  }

  get isWhole() {
    return this.w >= this.widest - 1e-6;
  }

  resize(aspect) {
    const wasWhole = this.isWhole;
    this.aspect = aspect;
    if (wasWhole) this.whole();
    else this.place(this.x + this.w / 2, this.y + this.h / 2, this.w);
  }

  place(middleX, middleY, width) {
    this.w = clamp(width, this.narrowest, this.widest);
    this.h = this.w / this.aspect;
    this.x = this.fit(middleX - this.w / 2, this.w, this.crop.x, this.crop.w);
    this.y = this.fit(middleY - this.h / 2, this.h, this.crop.y, this.crop.h);
  }

  fit(start, size, first, room) {
    return size >= room ? first + (room - size) / 2 : clamp(start, first, first + room - size);
  }

  whole() {
    this.place(this.crop.x + this.crop.w / 2, this.crop.y + this.crop.h / 2, this.widest);
  }

  // On a narrow screen the whole paper is too small to read: its height fills the screen instead.
  fillHeight() {
    this.place(this.crop.x, this.crop.y, this.crop.h * this.aspect);
  }

  zoom(factor, x = this.x + this.w / 2, y = this.y + this.h / 2) {
    const width = clamp(this.w / factor, this.narrowest, this.widest);
    const share = width / this.w;
    this.place(x + (this.x + this.w / 2 - x) * share, y + (this.y + this.h / 2 - y) * share, width);
  }

  move(dx, dy) {
    this.place(this.x + this.w / 2 + dx, this.y + this.h / 2 + dy, this.w);
  }
}
