// The page of `mnistry serve`: which view is shown, what the server says, and whether it is there.

import { element } from "./dom.js";
import { Drawing } from "./draw.js";
import { Runs } from "./runs.js";

const VIEWS = ["draw", "runs"];
const drawing = new Drawing();
const runs = new Runs();

function show() {
  const asked = location.hash.slice(1);
  const view = VIEWS.includes(asked) ? asked : VIEWS[0];
  for (const name of VIEWS) {
    element(name).hidden = name !== view;
    const link = element(`to-${name}`);
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view === "runs" ? "Runs – mnistry" : "Draw – mnistry";
}

// Says that the server cannot be reached, or no longer that.
function lost(isLost) {
  element("lost").hidden = !isLost;
  element("lost").textContent = isLost
    ? "The server does not answer: it has ended, or is out of reach. Start mnistry serve again; the page goes on by itself."
    : "";
}

// What the server tells, while the page is seen: a browser keeps few connections to one server.
let events = null;

function hush() {
  events?.close();
  events = null;
}

function listen() {
  hush();
  if (document.hidden) return;
  events = new EventSource("/events");
  events.addEventListener("open", () => lost(false));
  events.addEventListener("error", () => {
    lost(true);
    // After some answers a browser does not try again by itself.
    if (events?.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
  events.addEventListener("overview", (event) => {
    const overview = JSON.parse(event.data);
    element("place").textContent = overview.place;
    drawing.setModels(overview.models, overview.default_model);
    runs.setRuns(overview.runs, overview.more_runs);
  });
  events.addEventListener("live", (event) => runs.setLive(JSON.parse(event.data)));
  events.addEventListener("curves", (event) => runs.setCurves(JSON.parse(event.data)));
}

document.addEventListener("visibilitychange", listen);
addEventListener("pageshow", (event) => event.persisted && listen());
addEventListener("pagehide", hush);

const KEYS = {
  d: () => (location.hash = "draw"),
  r: () => (location.hash = "runs"),
};

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("select, input, textarea");
  if (isTyping || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey && key !== "z") return;
  const act = event.ctrlKey ? null : KEYS[key];
  if (act) act();
  else if (element("draw").hidden || !drawing.key(key)) return;
  event.preventDefault();
});

addEventListener("hashchange", show);
show();
listen();
