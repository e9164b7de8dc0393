// Keys for quick hands, rows that open where they are clicked, menus that close from outside.

const help = document.getElementById("shortcuts");
const openHelp = () => help?.showModal();
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.querySelector("a.row-link"));

function moveRow(step) {
  const all = rows();
  const current = all.findIndex((row) => row.contains(document.activeElement));
  const next = current < 0 ? 0 : Math.min(Math.max(current + step, 0), all.length - 1);
  const link = all[next]?.querySelector("a.row-link");
  link?.focus({ preventScroll: true });
  link?.closest("[data-row]").scrollIntoView({ block: "nearest" });
}

function focusSearch() {
  const search = document.getElementById("search");
  search?.focus();
  search?.select();
}

// A row's own keys: a button is pressed, a menu opens with its first choice at hand.
function pressInRow(key) {
  const control = document.activeElement?.closest("[data-row]")?.querySelector(`[data-key="${key}"]`);
  const menu = control?.closest("details[data-menu]");
  if (!menu) return control?.click();
  menu.open = true;
  menu.querySelector("button.menu-item")?.focus();
}

const keys = {
  d: () => pressInRow("d"),
  s: () => pressInRow("s"),
  w: () => pressInRow("w"),
  "/": focusSearch,
  j: () => moveRow(1),
  k: () => moveRow(-1),
  n: () => document.querySelector("a[data-key-new]")?.click(),
  "?": openHelp,
};

const closeMenus = (except) => document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
  if (!menu.contains(except)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape") {
    const menu = document.activeElement?.closest("details[data-menu][open]");
    closeMenus(null);
    menu?.querySelector("summary").focus();
    return;
  }
  if (event.target.closest?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  const action = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
  if (!action) return;
  event.preventDefault();
  action();
});

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const row = event.target.closest("[data-row]");
  if (!row || event.target.closest("a, button, input, select, label, summary, form")) return;
  // Selecting a phone number to copy it is not a click on the row.
  if (String(getSelection()) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  row.querySelector("a.row-link")?.click();
});

// After a logout no window of the portal keeps what was typed in it.
const ended = new BroadcastChannel("logout");
ended.addEventListener("message", () => sessionStorage.clear());
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.action.endsWith("/logout")) return;
  sessionStorage.clear();
  ended.postMessage("logout");
});

document.querySelectorAll("[data-open-shortcuts]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", openHelp);
});
