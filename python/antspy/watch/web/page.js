// Asks for what is new, and shows it. Names are the program's: they go into the page as text, never as HTML.

import { Plot, duration } from "/plot.js";

const OPEN = 4; // pools whose plots are shown at first
const PATIENCE = 10000; // milliseconds for an answer

const byId = (id) => document.getElementById(id);
const samples = []; // {time, pools: Map of a pool's name to its numbers by field}
const plots = new Map(); // of a pool's name to {details, figures}
let slowest = 10; // tasks whose stacks are shown
let gap = 4; // seconds without a sample that are shown as such

async function ask(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  const document = await answer.json();
  if (!answer.ok) throw new Error(document.error);
  return document;
}

async function poll() {
  let state = null;
  try {
    state = await ask(`/state?after=${samples.at(-1)?.time ?? 0}`);
  } catch {
    warn("antspy top does not answer. This page goes on once it serves here again.");
  }
  setTimeout(poll, state ? Math.max(500, 1000 * state.interval) : 1000);
  if (state) show(state);
}

function show(state) {
  keep(state);
  const { process, time, gone } = state;
  slowest = state.slowest;
  const program = process.program.split("/").at(-1) || "python";
  document.title = `${program} · antspy top`;
  write(byId("program"), program);
  write(
    byId("process"),
    `pid ${process.pid} · Python ${process.python} · antspy ${process.antspy} · ` +
      `${process.threads.toLocaleString("en")} threads · ${clock(time)}`,
  );
  warn(gone && `The process does not answer (${gone}). This was at ${clock(time)}; it is asked again and again.`);
  fill(byId("pools"), "pool", state.pools, showPool);
  fill(byId("tasks"), "task", state.tasks, (row, task) => showTask(row, task, state.stuck));
  byId("no-pools").hidden = state.pools.length > 0;
  byId("no-tasks").hidden = state.tasks.length > 0;
  draw(state);
}

function keep({ samples: added, newest, fields, minutes }) {
  if (newest < samples.at(-1)?.time) samples.length = 0; // a clock was set back: the next time all are asked for
  for (const [time, rows] of added) {
    const named = Object.entries(rows).map(([name, row]) => [name, Object.fromEntries(fields.map((it, at) => [it, row[at]]))]);
    samples.push({ time, pools: new Map(named) });
  }
  while (samples.length && samples[0].time < samples.at(-1).time - 60 * minutes) samples.shift();
}

function warn(text) {
  const banner = byId("banner");
  write(banner, text || "");
  banner.hidden = !text;
  document.body.classList.toggle("gone", Boolean(text));
}

function showPool(row, pool) {
  const time = (seconds) => (seconds === null ? "" : duration(seconds));
  const whole = (number) => number.toLocaleString("en");
  const set = (field, text, kind) => write(row.querySelector(`[data-field=${field}]`), text, kind);
  set("name", pool.name);
  set("state", pool.closed ? "(closed)" : pool.paused ? "(paused)" : "");
  set("limit", pool.limit === null ? "none" : whole(pool.limit));
  for (const field of ["busy", "idle"]) set(field, whole(pool[field]));
  for (const field of ["queued", "blocked"]) set(field, whole(pool[field]), pool[field] ? "warn" : "");
  const digits = pool.rate < 100 ? 1 : 0;
  set("rate", pool.rate === null ? "" : pool.rate.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  set("failed", whole(pool.failed), pool.failures ? "bad" : "");
  for (const field of ["queue_p50", "queue_p99", "run_p50", "run_p99"]) set(field, time(pool[field]));
}

function showTask(row, task, stuck) {
  const set = (field, text, kind) => write(row.querySelector(`[data-field=${field}]`), text, kind);
  const isStuck = task.seconds >= stuck;
  set("age", age(task), isStuck ? "bad" : "");
  set("worker", task.worker);
  set("name", task.name);
  set("stuck", isStuck ? "stuck?" : "");
}

function draw({ pools, interval }) {
  gap = 3 * interval + 1;
  const names = new Set(pools.map(({ name }) => name));
  for (const [name, { details }] of plots) {
    if (!names.has(name)) {
      details.remove();
      plots.delete(name);
    }
  }
  for (const name of names) {
    if (!plots.has(name)) plots.set(name, plotsOf(name));
  }
  redraw();
}

function redraw() {
  for (const [name, { details, figures }] of plots) {
    if (!details.open) continue;
    const points = samples.map(({ time, pools }) => ({ time, row: pools.get(name) }));
    for (const figure of figures) figure.draw(points, gap);
  }
}

function plotsOf(name) {
  const details = copy("pool-plots");
  write(details.querySelector("summary"), name);
  const figures = [
    new Plot("Tasks a second", [{ field: "rate", label: "ended", kind: "one" }]),
    new Plot(
      "Time in the queue",
      [{ field: "queue_p50", label: "p50", kind: "one" }, { field: "queue_p99", label: "p99", kind: "two" }],
      { log: true, write: duration },
    ),
    new Plot("Workers", [
      { field: "busy", label: "busy", kind: "one" },
      { field: "limit", label: "limit", kind: "most", none: "none" },
    ]),
  ];
  details.querySelector(".row").append(...figures.map(({ figure }) => figure));
  details.open = plots.size < OPEN;
  details.addEventListener("toggle", redraw);
  byId("plots").append(details);
  return { details, figures };
}

async function showStacks() {
  const button = byId("ask"), place = byId("stacks"), heading = document.createElement("p");
  button.disabled = true;
  try {
    const { time, pools } = await ask("/stats?stacks=1");
    const tasks = pools.flatMap(({ tasks }) => tasks).sort((one, other) => other.seconds - one.seconds);
    heading.textContent = tasks.length ? `Stacks at ${clock(time)}` : `No task ran at ${clock(time)}`;
    place.replaceChildren(heading, ...tasks.slice(0, slowest).map(stackOf));
    button.textContent = "Show stacks of now";
  } catch (error) {
    heading.textContent = `No stacks: ${error.message}`;
    place.replaceChildren(heading);
  }
  button.disabled = false;
}

function stackOf(task) {
  const article = copy("stack");
  const set = (field, text) => write(article.querySelector(`[data-field=${field}]`), text);
  set("age", age(task));
  set("worker", task.worker);
  set("name", task.name);
  set("stack", task.stack.join("\n") || "(no Python code: it is in a function in C)");
  return article;
}

/** Gives a table a row an item, and has `show` fill each. */
function fill(table, template, items, show) {
  const body = table.tBodies[0];
  while (body.rows.length > items.length) body.deleteRow(-1);
  while (body.rows.length < items.length) body.append(copy(template));
  items.forEach((item, number) => show(body.rows[number], item));
  table.hidden = !items.length;
}

function copy(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

/** Sets an element's text; what is the same stays, so that it can be selected. */
function write(element, text, kind = null) {
  if (element.textContent !== text) element.textContent = text;
  if (kind !== null) element.className = kind;
}

function age({ seconds, at_least }) {
  return (at_least ? ">" : "") + duration(seconds);
}

function clock(time) {
  return new Date(1000 * time).toLocaleTimeString("en-GB");
}

byId("ask").addEventListener("click", showStacks);
window.addEventListener("resize", redraw);
poll();
