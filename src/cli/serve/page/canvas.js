// The paper: strokes by pointer and by keys, and a picture that lies on it.

const PEN = 26; // pixels across, about a twentieth of the paper's height
// What is sent is so many times smaller than the paper: no digit drawn with this pen is then smaller
// than a network sees it, and fewer pixels are read sooner.
const SHRUNK = 3.5;
const STEP = 14; // pixels, by an arrow key
const SMALL_STEP = 3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Paper {
  // What lies on the paper, the first at the bottom: strokes and pictures.
  #items = [];
  // The stroke that a pointer draws, and which pointer that is.
  #pointer = null;
  #cursor = null;
  #penIsDown = false;
  #changed;
  #sent = document.createElement("canvas");

  // Calls `changed` whenever what is on the paper changes.
  constructor(canvas, pen, changed) {
    this.canvas = canvas;
    this.pen = pen;
    this.#changed = changed;
    this.context = canvas.getContext("2d");
    this.#sent.width = canvas.width / SHRUNK;
    this.#sent.height = canvas.height / SHRUNK;
    this.#draw();
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#end(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#liftPen());
  }

  get isEmpty() {
    return this.#items.length === 0;
  }

  undo() {
    this.#endStroke();
    this.#items.pop();
    this.#draw();
    this.#changed();
  }

  clear() {
    this.#endStroke();
    this.#items = [];
    this.#draw();
    this.#changed();
  }

  // Lays the picture in `file` on the paper, in place of all that is there.
  async put(file) {
    const image = await createImageBitmap(file);
    this.#endStroke();
    this.#items = [{ file, image }];
    this.#draw();
    this.#changed();
  }

  // What is on the paper, as a picture file: a picture alone is sent as it came, not as it is shown,
  // and strokes smaller.
  async picture() {
    const [only, ...more] = this.#items;
    if (only?.file && more.length === 0) return only.file;
    const { width, height } = this.#sent;
    const context = this.#sent.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(this.canvas, 0, 0, width, height);
    return new Promise((resolve) => this.#sent.toBlob(resolve, "image/png"));
  }

  // Where on the paper a pointer is.
  #place(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - left) * this.canvas.width) / width,
      ((event.clientY - top) * this.canvas.height) / height,
    ];
  }

  #begin(event) {
    if (this.#pointer || event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.#liftPen();
    this.#hideCursor();
    const stroke = { points: [this.#place(event)] };
    this.#pointer = { id: event.pointerId, stroke };
    this.canvas.setPointerCapture(event.pointerId);
    this.#add(stroke);
  }

  #move(event) {
    if (this.#pointer?.id !== event.pointerId) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) {
      this.#extend(this.#pointer.stroke, this.#place(move));
    }
    this.#changed();
  }

  // No pointer and no key goes on with a stroke that may be gone.
  #endStroke() {
    this.#liftPen();
    this.#pointer = null;
  }

  #end(event) {
    if (this.#pointer?.id === event.pointerId) this.#pointer = null;
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#moveCursor(arrow, event.shiftKey ? SMALL_STEP : STEP);
    else if (event.key === " ") this.#togglePen();
    else return;
    event.preventDefault();
  }

  #moveCursor([x, y], step) {
    const { width, height } = this.canvas;
    this.#cursor ??= [width / 2, height / 2];
    const within = (place, length) => Math.min(Math.max(place, 0), length);
    const [left, top] = this.#cursor;
    this.#cursor = [within(left + x * step, width), within(top + y * step, height)];
    if (this.#penIsDown) {
      this.#extend(this.#items.at(-1), this.#cursor);
      this.#changed();
    }
    this.#showCursor();
  }

  #togglePen() {
    this.#cursor ??= [this.canvas.width / 2, this.canvas.height / 2];
    if (this.#penIsDown) {
      this.#liftPen();
    } else {
      this.#penIsDown = true;
      this.#add({ points: [this.#cursor] });
    }
    this.#showCursor();
  }

  #liftPen() {
    this.#penIsDown = false;
    this.pen.classList.remove("down");
  }

  #showCursor() {
    const [left, top] = this.#cursor;
    this.pen.hidden = false;
    this.pen.style.left = `${(100 * left) / this.canvas.width}%`;
    this.pen.style.top = `${(100 * top) / this.canvas.height}%`;
    this.pen.classList.toggle("down", this.#penIsDown);
  }

  #hideCursor() {
    this.pen.hidden = true;
  }

  #add(item) {
    this.#items.push(item);
    this.#drawItem(item);
    this.#changed();
  }

  // Leads `stroke` on to `point`; only what is new is drawn.
  #extend(stroke, point) {
    const last = stroke.points.at(-1);
    stroke.points.push(point);
    this.#line([last, point]);
  }

  #draw() {
    const { context, canvas } = this;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    this.#items.forEach((item) => this.#drawItem(item));
  }

  #drawItem(item) {
    if (item.points) this.#line(item.points);
    else this.#drawImage(item.image);
  }

  #line(points) {
    const { context } = this;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = "#000";
    context.beginPath();
    context.moveTo(...points[0]);
    // A dot is a line that ends where it began.
    for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
    context.stroke();
  }

  // As large as fits, in the middle.
  #drawImage(image) {
    const { width, height } = this.canvas;
    const scale = Math.min(width / image.width, height / image.height);
    const [across, down] = [image.width * scale, image.height * scale];
    this.context.imageSmoothingEnabled = scale < 1;
    this.context.drawImage(image, (width - across) / 2, (height - down) / 2, across, down);
  }
}
