// A patient's page: the sum of what is ticked, a drawn signature, and word to the clinic that the page is read.
const boxes = [...document.querySelectorAll("input[name=line]")];
const options = [...document.querySelectorAll("[data-option-choice]")];
const sum = document.querySelector("[data-sum]");

function add() {
  const chosen = options.find((option) => option.checked)?.value ?? "";
  const cents = boxes
    .filter((box) => box.checked && ["", chosen].includes(box.dataset.option))
    .reduce((total, box) => total + Math.round(Number(box.dataset.gross) * 100), 0);
  const format = new Intl.NumberFormat(sum.dataset.locale, { style: "currency", currency: sum.dataset.currency });
  sum.querySelector("strong").textContent = format.format(cents / 100);
}

if (sum) {
  sum.hidden = false;
  for (const input of [...boxes, ...options]) input.addEventListener("change", add);
  add();
}

const field = document.querySelector("[data-draw]");
if (field) {
  field.hidden = false;
  const canvas = field.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const drawing = document.querySelector("input[name=drawing]");
  let strokes = [];
  let stroke = null;
  Object.assign(pen, { lineWidth: 3, lineCap: "round", lineJoin: "round", strokeStyle: "#123" });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const limit = (value) => Math.max(0, Math.min(1000, Math.round(value * 1000)));
    return [limit((event.clientX - box.left) / box.width), limit((event.clientY - box.top) / box.height)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    stroke = [place(event)];
    strokes.push(stroke);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const [before, now] = [stroke.at(-1), place(event)];
    stroke.push(now);
    pen.beginPath();
    pen.moveTo(before[0] * 0.6, before[1] * 0.2);
    pen.lineTo(now[0] * 0.6, now[1] * 0.2);
    pen.stroke();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      stroke = null;
      drawing.value = JSON.stringify(strokes);
    });
  }
  field.querySelector("[data-clear]").addEventListener("click", () => {
    strokes = [];
    drawing.value = "";
    pen.clearRect(0, 0, canvas.width, canvas.height);
  });
}

const BEAT = 15;
const GLANCE = 2;
const address = document.querySelector("[data-reading]")?.dataset.reading;
if (address) {
  const read = new Set();
  const tell = (seconds) => {
    const body = new URLSearchParams({ seconds, sections: [...read].join(",") });
    read.clear();
    fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
  };
  setInterval(() => {
    if (document.visibilityState === "visible") tell(BEAT);
  }, BEAT * 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && read.size) tell(0);
  });

  // A part counts as read once it has stayed in the middle of the screen for more than a glance.
  const waiting = new Map();
  const middle = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(waiting.get(target));
      if (!isIntersecting) continue;
      waiting.set(target, setTimeout(() => {
        read.add(target.id);
        middle.unobserve(target);
      }, GLANCE * 1000));
    }
  }, { rootMargin: "-25% 0px" });
  for (const part of document.querySelectorAll("section[id]")) middle.observe(part);
}
