// While a patient is being registered: a hint when somebody with the same name or phone is registered already.

const form = document.querySelector("form[data-similar]");
const hint = document.getElementById("similar");
const names = ["first_name", "last_name", "phone_raw"];
let timer = 0;
let asked = 0;

async function look() {
  const turn = ++asked;
  const typed = new URLSearchParams(["csrf_token", ...names].map((name) => [name, form.elements[name].value]));
  const answer = await fetch(form.dataset.similar, { method: "POST", body: typed }).catch(() => null);
  if (answer?.ok && !answer.redirected && turn === asked) hint.innerHTML = await answer.text();
}

form?.addEventListener("input", (event) => {
  if (!names.includes(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(look, 300);
});
