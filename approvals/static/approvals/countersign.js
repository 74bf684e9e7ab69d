// Live state, selection, keyboard. Every page works without this file: it moves and tells, it never decides.
const POLL_MS = 15_000;
const GATHER_MS = 400; // several changes, one look
const REST_MS = 2_000; // between looks, however much happens
let isListening = false;
let changed = new Set();
let timer = null;
let lookedAt = 0;

// The stream says which promotion changed; the regions that show it fetch themselves anew.
function look() {
  const ids = changed;
  [changed, timer, lookedAt] = [new Set(), null, Date.now()];
  for (const region of document.querySelectorAll("[data-live-region]")) {
    const own = region.dataset.promotion;
    if (!own || ids.has("") || ids.has(own)) htmx.trigger(region, "refresh");
  }
}

function lookSoon(promotion = "") {
  changed.add(promotion); // "": everything may have changed
  timer ??= setTimeout(look, Math.max(GATHER_MS, lookedAt + REST_MS - Date.now()));
}

function say(tone, text) {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  live.dataset.tone = tone;
  live.textContent = text;
}

const sayHow = () => (isListening ? say("ok", "Live") : say("wait", "Looks every 15 s"));

document.addEventListener("promotion", (event) => lookSoon(event.detail.data));
document.addEventListener("htmx:sse:after:connection", () => {
  isListening = true;
  sayHow();
  lookSoon(); // what happened while nobody listened is not stored
});
for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
  document.addEventListener(name, () => {
    isListening = false;
    sayHow();
  });
}
setInterval(() => {
  if (isListening || document.hidden) return;
  sayHow();
  lookSoon();
}, POLL_MS);
document.addEventListener("htmx:error", () => say("bad", "Offline, figures are old"));
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-live][data-tone=bad]")) sayHow();
  count();
});

// How many rows are picked; whether the bar shows is up to CSS.
function count() {
  const line = document.querySelector("[data-selection]");
  if (line) line.textContent = `${document.querySelectorAll(".pick :checked").length} selected`;
}
document.addEventListener("change", count);
document.addEventListener("reset", () => setTimeout(count));

// A form that is a page of its own opens in place.
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-opens]")?.dataset.opens;
  const sheet = name && document.getElementById(name);
  if (!sheet?.showPopover) return;
  event.preventDefault();
  sheet.showPopover();
  sheet.querySelector("textarea")?.focus();
});

function move(step) {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  const at = rows.findIndex((row) => row.hasAttribute("data-cursor"));
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  rows[at]?.removeAttribute("data-cursor");
  next?.setAttribute("data-cursor", "");
  next?.querySelector("a")?.focus();
}

const find = (key) => document.querySelector(`[data-key="${key}"]:not(:disabled)`);
const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => document.querySelector("tr[data-cursor] .pick input")?.click(),
  a: () => find("a")?.focus(),
  r: () => (find("r")?.dataset.opens ? find("r").click() : find("r")?.focus()),
  "/": () => find("/")?.focus(),
  "?": () => document.getElementById("shortcuts")?.togglePopover(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  event.preventDefault();
  keys[event.key]();
});
