// Drafts save by themselves after three seconds of quiet: the form as it stands, with its version. Where somebody else
// saved meanwhile the form is sent as by hand, and the page with both versions comes back.

const QUIET = 3000;

export class Autosave {
  constructor(form) {
    this.form = form;
    this.timer = 0;
    this.running = null;
    if (!("autosave" in form.dataset)) return;
    form.addEventListener("input", () => this.soon());
    form.addEventListener("submit", (event) => this.wait(event));
  }

  soon() {
    if (!("autosave" in this.form.dataset)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.running = this.save().finally(() => { this.running = null; }); }, QUIET);
  }

  // Sent by hand while a save is on its way: its answer holds the version to send.
  wait(event) {
    clearTimeout(this.timer);
    if (!this.running) return;
    event.preventDefault();
    const { submitter } = event;
    this.running.then(() => this.form.requestSubmit(submitter));
  }

  async save() {
    if (this.form.querySelector("#entry").value.trim() || this.form.dataset.submitted) return;
    const data = new FormData(this.form);
    data.append("autosave", "yes");
    const answer = await fetch(this.form.action, { method: "POST", body: data }).catch(() => null);
    if (answer?.status === 409) {
      setTimeout(() => this.form.requestSubmit());
      return;
    }
    const saved = answer?.ok && answer.headers.get("Content-Type").includes("json");
    if (saved) {
      this.form.querySelector("[name=version]").value = (await answer.json()).version;
      this.form.dispatchEvent(new CustomEvent("saved", { bubbles: true }));
    }
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    const { autosave, unsaved } = this.form.dataset;
    this.form.querySelector("[data-autosaved]").textContent = saved ? autosave.replace("{time}", time) : unsaved;
  }
}
