/* The board: a card can be dragged to a column its own form allows; without this, its form moves it. */

let dragged = null;

const wayTo = (card, kind) => card.querySelector(`option[data-kind="${kind}"]`);

for (const card of document.querySelectorAll('[data-card]')) {
  if (!card.querySelector('form')) continue;
  card.draggable = true;
  card.addEventListener('dragstart', (event) => {
    dragged = card;
    event.dataTransfer.effectAllowed = 'move';
    for (const column of document.querySelectorAll('.board-column')) {
      column.classList.toggle('may-drop', Boolean(wayTo(card, column.dataset.kind)));
    }
  });
  card.addEventListener('dragend', () => {
    dragged = null;
    for (const column of document.querySelectorAll('.board-column')) column.classList.remove('may-drop', 'is-over');
  });
}

for (const column of document.querySelectorAll('.board-column')) {
  column.addEventListener('dragover', (event) => {
    if (!dragged || !wayTo(dragged, column.dataset.kind)) return;
    event.preventDefault();
    column.classList.add('is-over');
  });
  column.addEventListener('dragleave', () => column.classList.remove('is-over'));
  column.addEventListener('drop', (event) => {
    const way = dragged && wayTo(dragged, column.dataset.kind);
    if (!way) return;
    event.preventDefault();
    way.selected = true;
    dragged.querySelector('form').requestSubmit();
  });
}
