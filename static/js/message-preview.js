// A message to patients, filled in with sample values while it is typed.

const body = document.querySelector("[data-samples]");
const samples = JSON.parse(body.dataset.samples);
const fill = (text) => text.replace(/\{([^{}]*)\}/g, (slot, name) => (Object.hasOwn(samples, name) ? samples[name] : slot));

for (const name of ["subject", "body"]) {
  const field = document.getElementById(name);
  const shown = document.querySelector(`[data-shown=${name}]`);
  field?.addEventListener("input", () => {
    const lines = fill(field.value).split("\n");
    shown?.replaceChildren(...lines.flatMap((line, place) => (place ? [document.createElement("br"), line] : [line])));
  });
}
