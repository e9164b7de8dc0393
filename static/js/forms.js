// Forms: no double submit, a question before a destructive one, the first error focused, no typed text lost by accident.

import { ask } from "./asking.js";

const confirmed = new WeakSet();
const initial = new WeakMap();
let leaving = false;

const snapshot = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));

async function askFirst(form, submitter) {
  if (!await ask(form.dataset.confirm)) return;
  confirmed.add(form);
  form.requestSubmit(submitter);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.confirm && !confirmed.delete(form)) {
    event.preventDefault();
    askFirst(form, event.submitter);
    return;
  }
  if (form.dataset.submitted) {
    event.preventDefault();
    return;
  }
  if ("repeatable" in form.dataset) return; // answered with a download: this page stays
  form.dataset.submitted = "yes";
  initial.set(form, snapshot(form));
  leaving = true;
  // After this event, so that the pressed button's own name and value are still sent.
  setTimeout(() => form.querySelectorAll("button:not([disabled])").forEach((button) => {
    button.disabled = true;
    button.dataset.locked = "yes";
  }));
});

// Saved in the background: only what is typed from then on would be lost.
document.addEventListener("saved", (event) => initial.set(event.target, snapshot(event.target)));

const guarded = [...document.querySelectorAll("form[data-guard]")];

// Coming back with the browser's back button restores the page as it was left: unlock it. By now a browser that loaded
// the page anew has also put back what was typed, so this is the state to compare with.
addEventListener("pageshow", (event) => {
  leaving = false;
  if (!event.persisted) guarded.forEach((form) => initial.set(form, snapshot(form)));
  document.querySelectorAll("form[data-submitted]").forEach((form) => delete form.dataset.submitted);
  document.querySelectorAll("button[data-locked]").forEach((button) => {
    button.disabled = false;
    delete button.dataset.locked;
  });
});

addEventListener("beforeunload", (event) => {
  if (leaving) return;
  // A form sent back with errors holds text that was never saved.
  const unsaved = (form) => form.querySelector("[aria-invalid=true]") || snapshot(form) !== initial.get(form);
  if (guarded.some(unsaved)) event.preventDefault();
});

const invalid = document.querySelector("[aria-invalid=true]");
(invalid?.matches("fieldset") ? invalid.querySelector("input") : invalid)?.focus();
