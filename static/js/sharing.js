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

const link = document.querySelector("[data-whatsapp]");
const message = document.querySelector("textarea[name=message]");
if (link && message) {
  for (const button of document.querySelectorAll("[data-without-script]")) button.hidden = true;
  message.addEventListener("input", () => {
    link.href = `${link.href.split("?")[0]}?text=${encodeURIComponent(message.value)}`;
  });
}
