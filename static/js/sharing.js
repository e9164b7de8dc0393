// The page where a link is handed over: copy, print, and a WhatsApp link that follows the message.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.querySelector("span").textContent = button.dataset.done;
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// How the link went out is noted as it goes; without this script the form asks.
const channel = document.querySelector("form[data-channel]");
for (const way of channel ? document.querySelectorAll("[data-noted]") : []) {
  way.addEventListener("click", () => {
    const body = new URLSearchParams(new FormData(channel));
    body.set("channel", way.dataset.noted);
    fetch(channel.action, { method: "POST", body, headers: { Accept: "application/json" }, keepalive: true }).catch(() => {});
  });
}

const link = document.querySelector("[data-whatsapp]");
const message = document.querySelector("textarea[name=message]");
for (const spare of document.querySelectorAll("[data-without-script]")) spare.hidden = true;
if (link && message) {
  message.addEventListener("input", () => {
    link.href = `${link.href.split("?")[0]}?text=${encodeURIComponent(message.value)}`;
  });
}
