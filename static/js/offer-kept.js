// A new offer that is not saved yet is kept in this tab: lost by a reload or a wrong click, it is offered again. Nothing
// is kept once it is saved, nor after a logout.

const PREFIX = "offer:";

const kept = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? "null");

export class Kept {
  constructor(form) {
    if (!form.dataset.keep) return;
    this.form = form;
    this.key = PREFIX + form.dataset.keep;
    const [mine] = this.key.split("/");
    kept().filter((key) => !key.startsWith(`${mine}/`)).forEach((key) => sessionStorage.removeItem(key));
    this.before = this.written();
    this.ask();
    form.addEventListener("input", () => this.keep());
  }

  written() {
    return JSON.stringify([...new FormData(this.form)].filter(([name]) => name !== "csrf_token"));
  }

  // What another page of this patient left is kept until it is taken up or thrown away.
  keep() {
    if (!this.key || this.other || this.written() === this.before) return;
    sessionStorage.setItem(this.key, this.written());
  }

  ask() {
    const stored = read(this.key);
    const own = this.form.querySelector("[name=form_key]").value;
    if (!stored || stored.some(([name, value]) => name === "form_key" && value === own)) return;
    this.other = true;
    const bar = document.querySelector("[data-kept]");
    bar.hidden = false;
    bar.querySelector("[data-kept-take]").addEventListener("click", () => this.take(stored));
    bar.querySelector("[data-kept-drop]").addEventListener("click", () => {
      sessionStorage.removeItem(this.key);
      this.other = false;
      bar.hidden = true;
      this.keep();
    });
  }

  // Shown as the server shows any form that comes back, saving nothing.
  take(stored) {
    const again = document.createElement("form");
    again.method = "post";
    again.action = this.form.querySelector("[data-preview]").formAction;
    again.hidden = true;
    const token = ["csrf_token", this.form.querySelector("[name=csrf_token]").value];
    for (const [name, value] of [...stored, token]) {
      const input = document.createElement("textarea");
      Object.assign(input, { name, value });
      again.append(input);
    }
    document.body.append(again);
    again.submit();
  }
}

const made = document.querySelector("[data-made]")?.dataset.made;
if (made) kept().filter((key) => sessionStorage.getItem(key).includes(made)).forEach((key) => sessionStorage.removeItem(key));
