// While a document's texts are typed: the picture of how it prints follows. Without this, the button "Preview" does it.

const form = document.querySelector("form[data-preview]");
const picture = document.querySelector("[data-preview-picture]");
let timer = 0;
let asked = 0;

async function draw() {
  const turn = ++asked;
  const place = picture.closest("section");
  place.setAttribute("aria-busy", "true");
  const answer = await fetch(form.dataset.preview, {
    method: "POST",
    headers: { Accept: "image/png" },
    body: new URLSearchParams(new FormData(form)),
  }).catch(() => null);
  if (turn !== asked) return;
  place.removeAttribute("aria-busy");
  if (!answer?.ok || answer.headers.get("Content-Type") !== "image/png") return;
  const reader = new FileReader();
  reader.onload = () => { if (turn === asked) picture.src = reader.result; };
  reader.readAsDataURL(await answer.blob());
}

if (form && picture) {
  form.querySelector("[data-preview-button]").hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(draw, 500);
  });
}
