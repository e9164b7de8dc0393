// The offer editor: lines added and removed in place, amounts computed by the server while typing.
// Without this script the same form works: "Calculate and add lines" does it with a page load.

import { ask } from "./asking.js";
import { Autosave } from "./autosave.js";
import { Kept } from "./offer-kept.js";
import { ToothChart } from "./tooth-chart.js";

const form = document.querySelector("form.offer-editor");
const lines = form?.querySelector("[data-lines]");
const blank = form?.querySelector("template[data-blank]");
const chart = form && new ToothChart(form);
const autosave = form && new Autosave(form);
const keeper = form && new Kept(form);
const PARTS = ["[data-entry]", "[data-lines]", "[data-sums]", "[data-chart-part]", "[data-options]", "[data-visit-rows]", "template[data-blank]"];
let timer = 0;
let asked = 0;

const places = () => [...lines.querySelectorAll("[data-line]")];
const placeOf = (line) => line.querySelector("[name^='lines-']")?.name.split("-")[1];

function addLine() {
  const next = Math.max(-1, ...places().map((line) => Number(placeOf(line)))) + 1;
  const piece = blank.innerHTML.replaceAll("__index__", String(next));
  lines.insertAdjacentHTML("beforeend", piece);
  const line = lines.lastElementChild;
  line.querySelector("legend").append(` ${next + 1}`);
  arm(line);
  limit();
  return line;
}

function saveSoon() {
  autosave.soon();
  keeper.keep();
}

function removeLine(line) {
  const other = line.nextElementSibling ?? line.previousElementSibling;
  line.remove();
  (other ?? addLine()).querySelector("select, input")?.focus();
  limit();
  compute();
  saveSoon();
}

// The server refuses more lines than that.
function limit() {
  form.querySelector("[data-add]").disabled = places().length >= Number(lines.dataset.most);
}

function arm(line) {
  const button = line.querySelector("[data-remove]");
  button.hidden = false;
  button.addEventListener("click", () => removeLine(line));
}

// The server numbers what it receives 0, 1, 2, ...; the answer is matched by that order.
async function compute() {
  const turn = ++asked;
  const answer = await fetch(form.dataset.totals, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (!answer?.ok || turn !== asked || !answer.headers.get("Content-Type").includes("json")) return;
  const { lines: amounts, totals, chart: marks, legend, proposal, packages } = await answer.json();
  chart.paint(marks, legend);
  places().forEach((line, order) => show(line, amounts[String(order)]));
  form.querySelector("[data-sums]").innerHTML = totals;
  form.querySelector("[data-proposal]").innerHTML = proposal;
  if (packages) expand();
}

// A package was chosen from the list: its parts come as lines, unless she types on meanwhile; then a moment later.
async function expand() {
  const focused = document.activeElement?.id;
  const data = new FormData(form);
  const typed = [...data].join();
  chart.entry.forEach((tooth) => data.append("chart", tooth));
  data.delete("entry"); // half typed
  data.append("step", "parts");
  const fresh = await answered(form.querySelector("[data-preview]").formAction, data);
  if (!fresh || typed !== [...new FormData(form)].join()) return soon();
  replace(fresh, form.querySelector("#entry").value);
  if (focused) document.getElementById(focused)?.focus();
}

function show(line, amounts) {
  line.querySelector("[data-total]").textContent = amounts?.total ?? "—";
  for (const name of ["quantity", "unit_price", "vat_rate", "healing_days", "warranty_months"]) {
    line.querySelector(`[data-auto='${name}']`).placeholder = amounts?.[name] ?? "";
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(compute, 250);
}

// Typed lines, options: the server reads them and answers with the whole page, of which the changed parts are taken over.
async function take(button, entry) {
  const data = new FormData(form);
  if (entry) data.delete("entry");
  chart.entry.forEach((tooth) => data.append("chart", tooth));
  if (button.name) data.append(button.name, button.value);
  const fresh = await answered(button.formAction, data);
  if (!fresh) return form.requestSubmit(button); // logged out, say: as without script
  replace(fresh, entry);
}

async function answered(url, data) {
  const answer = await fetch(url, { method: "POST", body: data }).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  return page?.querySelector("form.offer-editor");
}

function replace(fresh, entry) {
  for (const part of PARTS) form.querySelector(part).innerHTML = fresh.querySelector(part).innerHTML;
  if (entry) form.querySelector("#entry").value = entry; // half typed, kept as it is
  places().forEach(arm);
  limit();
  chart.take();
  saveSoon();
  asked += 1; // an answer on its way is of the lines before
}

async function enter(button) {
  await take(button);
  const box = form.querySelector("#entry");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

if (form) {
  form.addEventListener("keydown", (event) => {
    if (event.target.id !== "entry" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.target.value.trim()) enter(form.querySelector("[data-enter]"));
  });
  form.addEventListener("click", async (event) => {
    const step = event.target.closest("[data-step]");
    if (!step) return;
    event.preventDefault();
    if (step.dataset.question && !await ask(step.dataset.question)) return;
    const part = step.parentElement.closest("[data-options], [data-visit-rows]");
    await take(step, form.querySelector("#entry").value);
    part.querySelector("input, button")?.focus();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-entry] button");
    if (!button) return;
    event.preventDefault();
    enter(button);
  });
  places().forEach(arm);
  form.querySelector("[data-preview]").hidden = true;
  const add = form.querySelector("[data-add]");
  add.hidden = false;
  add.addEventListener("click", () => addLine().querySelector("select").focus());
  limit();
  form.addEventListener("input", (event) => { if ("auto" in event.target.dataset) soon(); });
}
