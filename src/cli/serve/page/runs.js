// The view Runs: the runs of the folder, and those in progress live.

import { element, made, percent } from "./dom.js";

const count = new Intl.NumberFormat("en");

function span(seconds) {
  if (seconds >= 3600) return `${(seconds / 3600).toFixed(1)} h`;
  if (seconds >= 120) return `${(seconds / 60).toFixed(1)} min`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

export class Runs {
  // By the names of runs: their cards, and their rows.
  #live = new Map();
  #rows = new Map();

  constructor() {
    element("compare").addEventListener("click", () => {
      const names = this.#marked().map((name) => ["run", name]);
      open(`/compare?${new URLSearchParams(names)}`, "_blank", "noopener");
    });
  }

  // Shows `runs`, before which there are `more` that are not listed.
  setRuns(runs, more) {
    element("more-runs").hidden = more === 0;
    element("more-runs").textContent = `${count.format(more)} earlier runs are not listed.`;
    element("no-runs").hidden = runs.length > 0;
    element("list").hidden = runs.length === 0;
    const marked = new Set(this.#marked());
    const focused = document.activeElement?.closest?.("#rows tr")?.dataset.name;
    const kind = document.activeElement?.tagName;
    // The last first.
    const rows = runs.map((run) => [run.name, this.#row(run, marked.has(run.name))]).reverse();
    this.#rows = new Map(rows);
    element("rows").replaceChildren(...this.#rows.values());
    this.#rows.get(focused)?.querySelector(kind)?.focus();
    this.#choose();
  }

  setLive(runs) {
    const names = new Set(runs.map(({ name }) => name));
    for (const [name, card] of this.#live) {
      if (!names.has(name)) {
        card.node.remove();
        this.#live.delete(name);
      }
    }
    for (const run of runs) this.#card(run.name).show(run);
  }

  setCurves({ name, html }) {
    this.#card(name).setCurves(html);
  }

  #card(name) {
    if (!this.#live.has(name)) {
      const card = new LiveCard(name);
      this.#live.set(name, card);
      element("live").append(card.node);
    }
    return this.#live.get(name);
  }

  #row(run, isMarked) {
    const box = made("input", { type: "checkbox", checked: isMarked, ariaLabel: `mark ${run.name}` });
    box.addEventListener("change", () => this.#choose());
    const link = made("a", {
      href: `/runs/${encodeURIComponent(run.name)}`,
      target: "_blank",
      rel: "noopener",
      text: run.name,
    });
    const state = made("span", { className: `state ${run.status}`, text: run.status });
    const node = made("tr");
    node.dataset.name = run.name;
    const name = made("th", { scope: "row", className: "text", title: run.name });
    if (run.problem) {
      const why = made("td", { className: "text problem", colSpan: 5, text: run.problem });
      name.append(run.name);
      node.append(made("td"), name, made("td"), made("td", { className: "text", parts: [state] }), why);
      return node;
    }
    name.append(link);
    const number = (value, said) => made("td", { text: value === null ? "–" : said(value) });
    const text = (value) => made("td", { className: "text", text: value, title: value });
    node.append(
      made("td", { parts: [box] }),
      name,
      number(run.test_accuracy, percent),
      made("td", { className: "text", parts: [state] }),
      number(run.test_loss, (loss) => loss.toFixed(4)),
      made("td", { text: `${run.epochs} of ${run.of_epochs}` }),
      number(run.train_seconds, span),
      text(run.network),
      text(run.dataset),
    );
    return node;
  }

  // The names of the runs that are marked, in the order of the list.
  #marked() {
    const rows = [...element("rows").children];
    const marked = rows.filter((row) => row.querySelector("input")?.checked);
    return marked.map((row) => row.dataset.name);
  }

  #choose() {
    element("compare").disabled = this.#marked().length < 2;
  }
}

// A run in progress.
class LiveCard {
  #progress = made("progress", { max: 1, value: 0 });
  #said = made("p");
  #curves = made("div");

  constructor(name) {
    const title = made("h3", { text: `run ${name}` });
    this.#progress.ariaLabel = `how far run ${name} is`;
    const parts = [title, this.#progress, this.#said, this.#curves];
    this.node = made("section", { className: "run-live", parts });
    this.node.setAttribute("aria-label", `run ${name}, in progress`);
  }

  show(run) {
    this.#progress.value = run.share;
    const epoch = Math.min(run.epochs + 1, run.of_epochs);
    const said = [`epoch ${epoch} of ${run.of_epochs}`];
    if (run.loss !== null) said.push(`loss ${run.loss.toFixed(4)}`);
    if (run.accuracy !== null) said.push(`accuracy ${percent(run.accuracy)}`);
    if (run.images_per_second !== null) {
      said.push(`${count.format(Math.round(run.images_per_second))} images/s`);
    }
    if (run.seconds_left !== null) said.push(`${span(run.seconds_left)} left`);
    this.#said.textContent = said.join(" · ");
  }

  // Charts that the server drew, in which all text is escaped.
  setCurves(html) {
    this.#curves.innerHTML = html;
  }
}
