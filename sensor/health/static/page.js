// The page is complete without this script. With it the page keeps itself up to date, and has charts.
"use strict";

const period = 5000; // ms between updates
const windows = [[5, "5 min"], [15, "15 min"], [60, "1 h"]];
let minutes = Number(sessionStorage.getItem("minutes")) || 15;
let paused = false, timer = 0, latest = null, cursor = null;

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const small = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const format = v => (v > 0 && v < 10 ? small : number).format(v);

// element makes one with attributes and children; what agents say only ever becomes text.
function element(name, attributes = {}, ...children) {
  const e = name.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// ---- staying up to date

// refresh takes the parts marked data-live from a newer copy of the page.
let turns = 0;
async function refresh(url = location.href) {
  const turn = ++turns;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.status);
    const text = await answer.text();
    if (turn !== turns) return; // a later one is on its way
    show(new DOMParser().parseFromString(text, "text/html"));
    state("");
  } catch {
    state("The sensor does not answer; what is shown is old.");
  }
}

function show(copy) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = copy.getElementById(old.id);
    if (!now || now.innerHTML === old.innerHTML) continue;
    const selection = getSelection();
    if (!selection.isCollapsed && old.contains(selection.anchorNode)) continue; // somebody is copying
    const focus = old.contains(document.activeElement) ? where(document.activeElement) : null;
    old.replaceChildren(...document.adoptNode(now).childNodes);
    if (focus) old.querySelector(focus)?.focus({ preventScroll: true });
  }
  document.title = copy.title;
}

// where finds a link again after an update.
function where(e) {
  for (const key of ["data-sort", "data-page", "href"]) {
    if (e.hasAttribute(key)) return `[${key}="${CSS.escape(e.getAttribute(key))}"]`;
  }
  return null;
}

function state(text) {
  const e = document.getElementById("connection");
  if (e.textContent !== text) e.textContent = text;
}

async function update() {
  clearTimeout(timer);
  if (!paused && !document.hidden) await Promise.all([refresh(), history()]);
  clearTimeout(timer);
  timer = setTimeout(update, period);
}

// ---- table: sorting and pages without loading the page anew, a filter that works while typing

async function go(url, keep) {
  const target = new URL(url, location.href);
  window.history[keep ? "replaceState" : "pushState"](null, "", target);
  if (!keep) fill();
  await refresh(target);
}

// fill makes the form say what the address says.
function fill() {
  const fields = new URLSearchParams(location.search);
  for (const [name, none] of [["q", ""], ["state", ""], ["sort", "name"], ["order", "asc"]]) filter.elements[name].value = fields.get(name) ?? none;
}

document.getElementById("table").addEventListener("click", event => {
  const link = event.target.closest("a[data-sort], a[data-page]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const page = link.hasAttribute("data-page");
  go(link.href).then(() => page && document.getElementById("peers").scrollIntoView());
});
addEventListener("popstate", () => { fill(); refresh(); });

const filter = document.getElementById("filter");
let typing = 0;
function search() {
  const fields = new URLSearchParams(new FormData(filter));
  const peer = document.getElementById("charts").dataset.peer;
  if (peer) fields.set("peer", peer);
  for (const [key, value] of [...fields]) if (!value || (key === "order" && value === "asc") || (key === "sort" && value === "name" && fields.get("order") !== "desc")) fields.delete(key);
  go("./?" + fields, true);
}
filter.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 200); });
filter.addEventListener("submit", event => { event.preventDefault(); clearTimeout(typing); search(); });
// The slash goes to the search field, when it is let go: not to be typed there.
const slash = event => event.key === "/" && !event.target.closest("input, select") && !event.ctrlKey && !event.metaKey && !event.altKey;
addEventListener("keydown", event => { if (slash(event)) event.preventDefault(); });
addEventListener("keyup", event => { if (slash(event)) filter.elements.q.focus(); });

// ---- charts

let asked = 0; // so that an old answer does not replace a newer one
async function history() {
  const turn = ++asked;
  const peer = document.getElementById("charts").dataset.peer;
  const fields = new URLSearchParams({ minutes, points: Math.min(180, minutes * 12) });
  if (peer) fields.set("peer", peer);
  try {
    const answer = await fetch("api/v1/history?" + fields, { signal: AbortSignal.timeout(10000) });
    const said = answer.ok ? await answer.json() : null;
    if (!said || turn !== asked) return;
    latest = said;
    draw();
  } catch { /* refresh has said it */ }
}

function draw() {
  if (!latest) return;
  const single = document.getElementById("charts").dataset.peer;
  const series = single ? [{ ...latest.total, class: "s0" }] : latest.peers.map((s, i) => ({ ...s, class: "s" + i % 7 }));
  if (latest.others) series.push({ ...latest.others, class: "sother", name: "others", other: true });
  const sum = (key, extra) => latest.total.forwarded.map((_, i) => series.reduce((n, s) => n + (s[key][i] || 0), 0) + (latest.total[extra][i] || 0));
  const top = Math.max(1, ...sum("forwarded", "dropped"), ...sum("received", "missing"));
  chart("forwarded", series, "forwarded", "dropped", "dropped on the agents' hosts", top);
  chart("received", series, "received", "missing", "missing: lost on the path", top);
}

// nice is the next round number of which four make the top of the scale.
function nice(v) {
  const power = 10 ** Math.floor(Math.log10(v / 4));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].map(m => m * power).find(m => m * 4 >= v);
}

const short = v => v >= 1e6 ? small.format(v / 1e6) + " M" : v >= 1e4 ? small.format(v / 1e3) + " k" : small.format(v);

function chart(id, series, key, lossKey, lossName, top) {
  const figure = document.getElementById(id);
  let svg = figure.querySelector("svg");
  if (!svg) {
    svg = element("svg:svg", { role: "img", tabindex: "0", preserveAspectRatio: "none" });
    figure.append(svg, element("p", { class: "moment", "aria-live": "polite" }), element("ul", { class: "legend" }));
    attend(svg);
  }
  const width = svg.clientWidth || 600, height = svg.clientHeight || 220;
  const left = 46, right = width - 6, bottom = height - 20, upper = 8;
  const n = latest.total[key].length, unit = nice(top), scale = unit * 4;
  const x = i => left + (right - left) * (n < 2 ? 1 : i / (n - 1));
  const y = v => bottom - (bottom - upper) * Math.min(v / scale, 1);
  const parts = [];
  for (let i = 0; i <= 4; i++) {
    parts.push(element("svg:line", { class: "grid", x1: left, x2: right, y1: y(i * unit), y2: y(i * unit) }));
    parts.push(element("svg:text", { x: left - 6, y: y(i * unit) + 4, "text-anchor": "end" }, short(i * unit)));
  }
  const end = new Date(latest.time);
  const span = (n - 1) * latest.step_seconds * 1000, mark = Math.max(minutes, 5) * (width > 480 ? 12e3 : 30e3);
  for (let at = Math.floor(end / mark) * mark; at >= end - span; at -= mark) {
    const place = right - (right - left) * (end - at) / span;
    if (place < left + 14 || place > right - 14) continue;
    parts.push(element("svg:text", { x: place, y: height - 5, "text-anchor": "middle" },
      new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })));
  }
  const base = new Array(n).fill(0);
  const band = (values, name) => {
    const known = values.map((v, i) => [v, i]).filter(([v]) => v !== null);
    if (!known.length || !known.some(([v]) => v > 0)) return;
    const upperEdge = known.map(([v, i]) => `${x(i).toFixed(1)},${y(base[i] + v).toFixed(1)}`);
    const lowerEdge = known.map(([, i]) => `${x(i).toFixed(1)},${y(base[i]).toFixed(1)}`).reverse();
    parts.push(element("svg:polygon", { class: name, points: upperEdge.concat(lowerEdge).join(" ") }));
    for (const [v, i] of known) base[i] += v;
  };
  for (const s of series) band(s[key], "area " + s.class);
  band(latest.total[lossKey], "lossfill");
  const loss = latest.total[lossKey];
  if (cursor !== null && cursor < n) parts.push(element("svg:line", { class: "cross", x1: x(cursor), x2: x(cursor), y1: upper, y2: bottom }));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);

  const at = cursor === null ? n - 1 : Math.min(cursor, n - 1);
  const total = series.reduce((sum, s) => sum + (s[key][at] || 0), 0);
  const when = new Date(end - (n - 1 - at) * latest.step_seconds * 1000).toLocaleTimeString("en-GB");
  const text = `${cursor === null ? "Now" : "At " + when}: ${format(total)} frames/s` + (loss[at] > 0 ? `, ${format(loss[at])} frames/s ${lossName}` : "");
  const moment = figure.querySelector(".moment");
  moment.textContent = text;
  svg.setAttribute("aria-label", `${figure.querySelector("figcaption").textContent.trim()}, last ${minutes} minutes. ${text}. Left and right arrows move in time.`);
  svg.dataset.count = n;
  const entries = series.map(s => entry(s.class, s.name, s[key][at], !s.other && s.name !== "total"));
  if (loss.some(v => v > 0)) entries.push(entry("sloss", lossName, loss[at], false));
  const legend = figure.querySelector(".legend");
  if (!legend.contains(document.activeElement)) legend.replaceChildren(...entries);
}

function entry(name, text, value, link) {
  const label = link ? element("a", { href: "?peer=" + encodeURIComponent(text) + "#peer", title: text }, text) : element("span", {}, text);
  return element("li", { class: name }, element("i"), label, element("b", {}, value === null || value === undefined ? "–" : format(value)));
}

// attend moves the line of time with pointer and keys, in both charts.
function attend(svg) {
  const move = to => { if (cursor !== to) { cursor = to; draw(); } };
  svg.addEventListener("pointermove", event => {
    const n = Number(svg.dataset.count), box = svg.getBoundingClientRect();
    const part = (event.clientX - box.left - 46) / (box.width - 52);
    move(Math.max(0, Math.min(n - 1, Math.round(part * (n - 1)))));
  });
  svg.addEventListener("pointerleave", () => move(null));
  svg.addEventListener("blur", () => move(null));
  svg.addEventListener("keydown", event => {
    const n = Number(svg.dataset.count), at = cursor === null ? n - 1 : cursor;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: n - 1, PageUp: at - 12, PageDown: at + 12 }[event.key];
    if (event.key === "Escape") move(null);
    if (to === undefined) return;
    event.preventDefault();
    move(Math.max(0, Math.min(n - 1, to)));
  });
}

// ---- controls that only make sense with a script

function begin() {
  const controls = document.getElementById("controls");
  const group = element("span", { role: "group", "aria-label": "Time shown in the charts" });
  for (const [m, name] of windows) {
    const button = element("button", { type: "button", "aria-pressed": m === minutes }, name);
    button.addEventListener("click", () => {
      minutes = m;
      sessionStorage.setItem("minutes", m);
      for (const other of group.children) other.setAttribute("aria-pressed", other === button);
      history();
    });
    group.append(button, " ");
  }
  const pause = element("button", { type: "button", "aria-pressed": "false", id: "pause" }, "Pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    if (!paused) update();
  });
  controls.append(element("span", { id: "connection", role: "status", class: "warning" }), group, pause);
  addEventListener("resize", draw);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) update(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  history();
  timer = setTimeout(update, period);
}

begin();
