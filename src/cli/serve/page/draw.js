// The view Draw: what is on the paper is read at once, and what was misread can be put right.

import { Paper } from "./canvas.js";
import { element, made, percent } from "./dom.js";

// The answer to a request, or an error with what the server says.
async function answer(path, query, picture) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`, {
    method: "POST",
    body: picture,
  }).catch(() => {
    throw new Error("the server does not answer");
  });
  const said = await response.json();
  if (!response.ok) throw new Error(said.error);
  return said;
}

export class Drawing {
  #paper;
  #model = element("model");
  // Whether something is being read, and whether that is no longer what is on the paper.
  #isReading = false;
  #isStale = false;

  constructor() {
    this.#paper = new Paper(element("canvas"), element("pen"), () => this.#changed());
    element("undo").addEventListener("click", () => this.#undo());
    element("clear").addEventListener("click", () => this.#paper.clear());
    element("open").addEventListener("click", () => element("file").click());
    element("file").addEventListener("change", (event) => {
      this.#take(event.target.files);
      event.target.value = "";
    });
    this.#model.addEventListener("change", () => this.#changed());
    this.#acceptPictures();
  }

  setModels(models, byDefault) {
    const isSame =
      models.length === this.#model.options.length &&
      models.every(({ name, about }, at) => {
        const option = this.#model.options[at];
        return option.value === name && option.dataset.about === about;
      });
    if (isSame) return;
    const chosen = this.#model.value;
    const option = ({ name, about }) => {
      const node = made("option", { value: name, text: about ? `${name}: ${about}` : name });
      node.dataset.about = about;
      return node;
    };
    this.#model.replaceChildren(...models.map(option));
    const isThere = models.some(({ name }) => name === chosen);
    this.#model.value = isThere ? chosen : (byDefault ?? "");
    this.#changed();
  }

  // Does what `key` stands for, if anything.
  key(key) {
    const act = {
      p: () => element("canvas").focus(),
      z: () => this.#undo(),
      c: () => this.#paper.clear(),
      o: () => element("file").click(),
      m: () => this.#model.focus(),
      w: () => element("digits").querySelector("select")?.focus(),
    }[key];
    act?.();
    return act !== undefined;
  }

  #undo() {
    if (!this.#paper.isEmpty) this.#paper.undo();
  }

  // Pictures that are dropped anywhere, or pasted.
  #acceptPictures() {
    const view = element("draw");
    const isShown = () => !view.hidden;
    const mark = (isOver) => element("paper").classList.toggle("over", isOver);
    addEventListener("dragover", (event) => {
      event.preventDefault();
      if (isShown()) mark(true);
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) mark(false);
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      mark(false);
      if (isShown()) this.#take(event.dataTransfer.files);
    });
    addEventListener("paste", (event) => {
      if (isShown()) this.#take(event.clipboardData.files);
    });
  }

  async #take([file]) {
    if (!file) return;
    try {
      await this.#paper.put(file);
    } catch {
      this.#show({ digits: [], text: "", problem: `${file.name || "this"} is no picture that the browser can show` });
    }
  }

  #changed() {
    const isEmpty = this.#paper.isEmpty;
    element("hint").hidden = !isEmpty;
    element("undo").disabled = element("clear").disabled = isEmpty;
    element("saved").textContent = "";
    this.#read();
  }

  // Reads what is on the paper: one request at a time, and the last one of what is there last.
  async #read() {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    element("reading").ariaBusy = "true";
    while (this.#isStale) {
      this.#isStale = false;
      const reading = await this.#reading();
      // What is no longer on the paper is shown while it is drawn on, but not when it is cleared.
      if (!(this.#isStale && this.#paper.isEmpty)) this.#show(reading);
    }
    this.#isReading = false;
    element("reading").ariaBusy = "false";
  }

  async #reading() {
    const nothing = { digits: [], text: "" };
    const model = this.#model.value;
    if (!model) return { ...nothing, problem: "There is no model here yet: mnistry train makes one." };
    if (this.#paper.isEmpty) return { ...nothing, problem: "What the network reads appears here." };
    try {
      const picture = await this.#paper.picture();
      return { ...(await answer("/read", { model }, picture)), picture, model };
    } catch (error) {
      return { ...nothing, problem: error.message };
    }
  }

  #show(reading) {
    element("read").textContent = reading.text;
    element("why").textContent = reading.problem ?? `read in ${reading.milliseconds.toFixed(1)} ms`;
    const cards = element("digits");
    // Those that stay keep the focus.
    while (cards.children.length > reading.digits.length) cards.lastChild.remove();
    reading.digits.forEach((digit, at) => {
      const card = new Card(digit, reading.class_names, () => this.#save(reading, at));
      const known = cards.children[at];
      if (known?.contains(document.activeElement)) card.takeFocus(document.activeElement);
      if (known) known.replaceWith(card.node);
      else cards.append(card.node);
      card.focus();
    });
  }

  // Saves that the digit at `at` of `reading` was of another class, or of the one that was read.
  async #save({ picture, model }, at) {
    const label = element("digits").children[at].querySelector("select").value;
    try {
      const saved = await answer("/corrections", { model, digit: at, label }, picture);
      element("saved").textContent =
        `Saved as ${saved.file}. mnistry train --data ${saved.folder} learns from what is saved there.`;
    } catch (error) {
      element("saved").textContent = `Not saved: ${error.message}`;
    }
  }
}

// A digit that was read: what the network saw, ten bars, and what it was.
class Card {
  #focused = null;

  constructor(digit, names, save) {
    const { class_name: name, probability, is_unsure: isUnsure, bars, image } = digit;
    const head = made("div", {
      className: "head",
      parts: [
        made("img", { src: image, alt: `what the network sees of the ${name}` }),
        made("div", {
          parts: [
            made("div", { className: "class", text: name }),
            made("div", { text: percent(probability) }),
            ...(isUnsure ? [made("div", { className: "unsure", text: "unsure" })] : []),
          ],
        }),
      ],
    });
    const choice = made("select", { ariaLabel: `what the ${name} was` });
    choice.append(...names.map((each) => made("option", { value: each, text: each })));
    choice.value = name;
    const button = made("button", { type: "button", text: "Save" });
    button.addEventListener("click", save);
    const was = made("div", { className: "was", parts: ["That was a", choice, button] });
    const table = made("table", { className: "bars", parts: [Card.#bars(bars, name)] });
    this.node = made("article", { className: "digit", parts: [head, table, was] });
  }

  static #bars(bars, first) {
    const row = ({ class_name: name, probability }) => {
      const fill = made("span");
      fill.style.width = `${100 * probability}%`;
      const head = made("th", { scope: "row", text: name, title: name });
      const meter = made("td", { parts: [made("span", { className: "meter", parts: [fill] })] });
      const share = made("td", { text: percent(probability) });
      return made("tr", { className: name === first ? "first" : "", parts: [head, meter, share] });
    };
    return made("tbody", { parts: bars.map(row) });
  }

  // The element of this card that stands where `active` does in another.
  takeFocus(active) {
    this.#focused = this.node.querySelector(active.tagName);
  }

  focus() {
    this.#focused?.focus();
  }
}
