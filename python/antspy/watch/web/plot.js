// Lines over the last minutes, as SVG.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 20;

// [seconds shown, seconds between two marks]: the least in which all samples have room.
const WINDOWS = [[60, 15], [120, 30], [300, 60], [600, 120]];

/** Writes a number shortly, e.g. 12.5k. */
function count(value) {
  for (const [unit, scale] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (value >= scale * 10 || (value >= scale && value % scale === 0)) {
      return String(+(value / scale).toFixed(1)) + unit;
    }
  }
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** Writes seconds with three digits and a unit. */
export function duration(seconds) {
  if (seconds >= 60) {
    const whole = Math.floor(seconds), two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }
  for (const [unit, scale] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]]) {
    if (seconds >= scale) {
      const value = seconds / scale;
      return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
    }
  }
  return `${(seconds * 1e9).toFixed(0)} ns`;
}

/** A figure with lines: {field, label, kind} each, where `kind` is a class of page.css. */
export class Plot {
  constructor(title, lines, { log = false, write = count } = {}) {
    this.title = title;
    this.lines = lines;
    this.log = log;
    this.write = write;
    this.figure = document.createElement("figure");
    const caption = this.figure.appendChild(document.createElement("figcaption"));
    caption.appendChild(document.createElement("b")).textContent = title;
    this.values = lines.map(({ label, kind }) => {
      const entry = caption.appendChild(document.createElement("span"));
      entry.appendChild(document.createElement("i")).className = kind;
      entry.append(`${label} `);
      return entry.appendChild(document.createElement("output"));
    });
    this.svg = this.figure.appendChild(document.createElementNS(SVG, "svg"));
    this.svg.setAttribute("role", "img");
    this.cursor = null;
    this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
  }

  point(x) {
    this.cursor = x;
    if (this.shown) this.draw(...this.shown);
  }

  /** Draws `points`, {time, row} each, of which a row may be undefined: then there is a gap. */
  draw(points, gap) {
    this.shown = [points, gap];
    const width = this.svg.clientWidth, height = this.svg.clientHeight;
    if (!width || !points.length) return;
    const last = points.at(-1).time;
    const [seconds, step] = WINDOWS.find(([long]) => last - points[0].time <= long) ?? WINDOWS.at(-1);
    const x = (time) => width - RIGHT - ((last - time) / seconds) * (width - LEFT - RIGHT);
    const scale = this.log ? logarithmic(this.seen(points)) : linear(this.most(points));
    const y = (value) => height - BOTTOM - scale.at(value) * (height - TOP - BOTTOM);
    const parts = [];
    for (const mark of scale.marks) {
      parts.push(line("grid", LEFT, y(mark), width - RIGHT, y(mark)));
      parts.push(text(this.write(mark).replace(/\.0+(?= )/, ""), LEFT - 6, y(mark) + 4, "end"));
    }
    for (let back = 0; back <= seconds; back += step) {
      const label = back === 0 ? "now" : back % 60 ? `−${back} s` : `−${back / 60} min`;
      parts.push(text(label, x(last - back), height - 4, back === 0 ? "end" : "middle"));
    }
    for (const { field, kind } of this.lines) {
      const path = make("path", { class: kind, d: trace(points, field, gap, x, y, scale.top) });
      path.dataset.field = field;
      parts.push(path);
    }
    const at = this.cursor === null ? points.at(-1) : nearest(points, this.cursor, x);
    if (this.cursor !== null) parts.push(line("cursor", x(at.time), TOP, x(at.time), height - BOTTOM));
    this.svg.replaceChildren(...parts);
    this.lines.forEach(({ field, none = "–" }, number) => {
      const value = at.row?.[field] ?? null;
      this.values[number].textContent = value !== null ? this.write(value) : at.row ? none : "–";
    });
    const now = this.lines.map(({ label }, number) => `${label} ${this.values[number].textContent}`);
    this.svg.setAttribute("aria-label", `${this.title}, last ${seconds / 60} min: ${now.join(", ")}`);
  }

  seen(points) {
    return this.lines.flatMap(({ field }) => points.map(({ row }) => row?.[field] ?? null)).filter((value) => value > 0);
  }

  /** The most that must be on the scale: a limit that is far away would make a flat line of all others. */
  most(points) {
    const of = (field) => points.reduce((most, { row }) => Math.max(most, row?.[field] ?? 0), 0);
    const [first, ...others] = this.lines.map(({ field }) => of(field));
    return others.reduce((most, other) => (other <= Math.max(100, 10 * first) ? Math.max(most, other) : most), first);
  }
}

function linear(most) {
  const rough = Math.max(most, 1) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(most <= 4 ? 0.5 : 1, [1, 2, 5, 10].find((it) => it * power >= rough) * power);
  const marks = Math.max(1, Math.ceil(most / step));
  const top = marks * step;
  return { top, at: (value) => value / top, marks: Array.from({ length: marks + 1 }, (_, number) => number * step) };
}

function logarithmic(values) {
  const least = values.reduce((one, other) => Math.min(one, other), Infinity);
  const most = values.reduce((one, other) => Math.max(one, other), 0);
  const from = values.length ? Math.floor(Math.log10(least)) : -6;
  const to = values.length ? Math.max(from + 1, Math.ceil(Math.log10(most))) : -3;
  const each = Math.ceil((to - from) / 5);
  const marks = [];
  for (let power = from; power <= to; power += each) marks.push(+`1e${power}`);
  const at = (value) => Math.max(0, (Math.log10(value) - from) / (to - from));
  return { top: 10 ** to, at, marks };
}

/** The line of a field; what is above the scale is left out. */
function trace(points, field, gap, x, y, top) {
  let path = "", before = null;
  for (const { time, row } of points) {
    const value = row?.[field] ?? null;
    if (value === null || value > top * 1.001) {
      before = null;
      continue;
    }
    const joined = before !== null && time - before <= gap;
    const place = `${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    path += joined ? `L${place}` : `M${place}h0`; // a point alone is a dot
    before = time;
  }
  return path;
}

function nearest(points, place, x) {
  return points.reduce((best, point) => (Math.abs(x(point.time) - place) < Math.abs(x(best.time) - place) ? point : best));
}

function line(kind, x1, y1, x2, y2) {
  return make("line", { class: kind, x1, y1, x2, y2 });
}

function text(content, x, y, anchor) {
  const made = make("text", { x, y, "text-anchor": anchor });
  made.textContent = content;
  return made;
}

function make(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}
