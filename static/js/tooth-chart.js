// The tooth chart of the offer editor. The teeth ticked are those of the active line, or else of the entry box:
// whichever was in use last. Without this script the ticks go with the entry box.

const COMMA = /[\s,;+]+/;
const DASH = /\s*[-\u2010-\u2015\u2212]\s*/g;

export class ToothChart {
  constructor(form) {
    this.form = form;
    this.line = null;
    this.entry = new Set();
    this.take();
    form.addEventListener("focusin", (event) => this.follow(event.target));
    form.addEventListener("input", (event) => {
      if (event.target.matches("[data-tooth]")) this.write();
      else if (event.target.name?.endsWith("-teeth")) this.read();
    });
    form.addEventListener("keydown", (event) => this.move(event));
    form.addEventListener("submit", () => this.name());
    if (form.contains(document.activeElement)) this.follow(document.activeElement); // she was quicker than the script
  }

  // After the page's part was replaced: names are put back only when the form is sent.
  take() {
    this.boxes = [...this.form.querySelectorAll("[data-tooth]")];
    this.boxes.forEach((box) => box.removeAttribute("name"));
    this.rows = [...this.form.querySelectorAll(".tooth-row")].map((row) => [...row.querySelectorAll("[data-tooth]")]);
    this.entry = new Set(this.chosen());
    this.line = null;
  }

  chosen() {
    return this.boxes.filter((box) => box.checked).map((box) => box.value);
  }

  name() {
    this.boxes.forEach((box) => { box.checked = this.entry.has(box.value); box.name = "chart"; });
  }

  follow(target) {
    const line = target.closest("[data-line]");
    if (!line && !target.closest("[data-entry]")) return;
    this.line?.classList.remove("line-active");
    this.line = line;
    line?.classList.add("line-active");
    this.read();
  }

  field() {
    return this.line?.isConnected ? this.line.querySelector("[name$='-teeth']") : null;
  }

  read() {
    const field = this.field();
    const teeth = field ? this.expand(field.value) : this.entry;
    this.boxes.forEach((box) => { box.checked = teeth.has(box.value); });
  }

  write() {
    const field = this.field();
    if (!field) {
      this.entry = new Set(this.chosen());
      return;
    }
    field.value = this.chosen().join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A range follows its row as drawn, as on the server; what cannot be read ticks nothing.
  expand(text) {
    const teeth = new Set();
    for (const piece of text.replace(DASH, "-").split(COMMA)) {
      const [first, last = first] = piece.split("-");
      for (const row of this.rows) {
        const ends = [first, last].map((tooth) => row.findIndex((box) => box.value === tooth)).sort((a, b) => a - b);
        if (ends[0] >= 0) row.slice(ends[0], ends[1] + 1).forEach((box) => teeth.add(box.value));
      }
    }
    return teeth;
  }

  move(event) {
    const row = this.rows.findIndex((boxes) => boxes.includes(event.target));
    if (row < 0) return;
    const place = this.rows[row].indexOf(event.target);
    const next = {
      ArrowRight: this.rows[row][place + 1], ArrowLeft: this.rows[row][place - 1],
      ArrowUp: row % 2 ? this.rows[row - 1][place] : null, ArrowDown: row % 2 ? null : this.rows[row + 1][place],
    };
    if (!(event.key in next)) return;
    event.preventDefault();
    next[event.key]?.focus();
  }

  // Colour the teeth that lines are done on: tooth -> [numbers of the lines, colour].
  paint(marks, legend) {
    for (const box of this.boxes) {
      const tooth = box.closest(".tooth");
      const [lines, tone] = marks[box.value] ?? ["", ""];
      tooth.className = tone ? `tooth tone-${tone}` : "tooth";
      tooth.querySelector("[data-tooth-lines]").textContent = lines;
    }
    const list = this.form.querySelector("[data-legend]");
    list.innerHTML = legend;
    list.hidden = !list.childElementCount;
  }
}
