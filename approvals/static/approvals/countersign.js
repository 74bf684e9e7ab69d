// Keyboard, live state, selection. Everything works without this file; it moves and tells, it never decides.
const live = document.querySelector("[data-live]");
const POLL_SECONDS = 15;
let listening = false;
let heardAt = Date.now();

// --- live: the stream says which promotion changed, regions fetch themselves anew ---

function refresh(promotion = "") {
  for (const region of document.querySelectorAll("[data-live-region]")) {
    if (!promotion || !region.dataset.promotion || region.dataset.promotion === promotion) {
      htmx.trigger(region, "refresh");
    }
  }
}

function say(tone, text) {
  if (!live || (live.dataset.tone === tone && live.textContent === text)) return;
  live.dataset.tone = tone;
  live.textContent = text;
}

function clock() {
  return new Date().toTimeString().slice(0, 5);
}

live?.addEventListener("htmx:sse:after:connection", () => {
  listening = true;
  say("ok", "Live");
  refresh(); // what happened while nobody listened is not stored
});
for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
  live?.addEventListener(name, () => {
    listening = false;
    if (!document.hidden) say("wait", `Reconnecting, looks every ${POLL_SECONDS} s`);
  });
}

let waiting = null;
live?.addEventListener("promotion", (event) => {
  heardAt = Date.now();
  const promotion = event.detail.data;
  waiting = waiting === null || waiting === promotion ? promotion : ""; // several changes: refresh once
  if (waiting !== null && !refresh.timer) {
    refresh.timer = setTimeout(() => {
      refresh(waiting);
      waiting = null;
      refresh.timer = null;
    }, 400);
  }
});

setInterval(() => {
  if (!live || listening || document.hidden) return;
  if (live.dataset.tone === "plain") say("wait", `Looks every ${POLL_SECONDS} s`);
  refresh();
}, POLL_SECONDS * 1000);

document.addEventListener("htmx:error", () => say("bad", `Offline since ${clock()}, figures are old`));
document.addEventListener("htmx:after:swap", () => {
  if (live?.dataset.tone === "bad") say(listening ? "ok" : "wait", listening ? "Live" : `Looks every ${POLL_SECONDS} s`);
  count();
});

// --- selection: how many are picked ---

function count() {
  const line = document.querySelector("[data-selection]");
  if (!line) return;
  const picked = document.querySelectorAll(".pick input:checked").length;
  line.textContent = `${picked} selected`;
}
document.addEventListener("change", count);
document.addEventListener("reset", () => setTimeout(count));

// --- forms that are pages of their own open in place ---

document.addEventListener("click", (event) => {
  const sheet = document.getElementById(event.target.closest("[data-opens]")?.dataset.opens ?? "");
  if (!sheet?.showPopover) return;
  event.preventDefault();
  sheet.showPopover();
  sheet.querySelector("textarea, input:not([type=hidden])")?.focus();
});

// --- keyboard: moves focus and opens forms, never decides ---

function move(step) {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  const at = rows.findIndex((row) => row.hasAttribute("data-cursor"));
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  if (!next) return;
  rows[at]?.removeAttribute("data-cursor");
  next.setAttribute("data-cursor", "");
  next.querySelector("a")?.focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => document.querySelector("tr[data-cursor] .pick input:not(:disabled)")?.click(),
  a: () => document.querySelector("[data-key='a']:not(:disabled)")?.focus(),
  r: () => open(document.querySelector("[data-key='r']")),
  "/": () => document.querySelector("[data-key='/']")?.focus(),
  "?": () => document.querySelector("#shortcuts")?.togglePopover(),
};

function open(control) {
  if (control?.dataset.opens) control.click();
  else control?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
