// While something goes on, the part of the page that tells about it is fetched again and again.

const part = () => document.querySelector("[data-now]");

async function look() {
  const old = part();
  if (!old?.dataset.live) return;
  if (!document.hidden) {
    const answer = await fetch(old.dataset.live).catch(() => null);
    if (answer?.redirected) return; // the session has ended: the next click asks for a login
    if (answer?.ok) await show(old, await answer.text());
  }
  wait();
}

async function show(old, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-now]");
  if (!fresh) return;
  if (!fresh.dataset.live) {
    location.reload(); // it has ended: what the rest of the page says is new, too
    return;
  }
  const [body, news] = [old, fresh].map((place) => place.querySelector("[data-now-body]"));
  const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.dataset.seconds = fresh.dataset.seconds;
  body.replaceChildren(...document.adoptNode(news).childNodes);
  if (focused) [...body.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

function wait() {
  const seconds = Number(part()?.dataset.seconds);
  if (seconds) setTimeout(look, seconds * 1000);
}

wait();
