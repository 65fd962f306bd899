// Follows what happens: the server says that something is new, and renders it.
'use strict';

const list = document.getElementById('calls');
const notice = document.getElementById('notice');
const button = document.getElementById('follow');
let source = null;

async function renew() {
  const answer = await fetch(location.href, { credentials: 'same-origin' });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const known = new Set([...list.querySelectorAll('[id]')].map((row) => row.id));
  const focused = document.activeElement?.closest('#calls [id]')?.id;
  const fresh = page.getElementById('calls');
  for (const row of fresh.querySelectorAll('[id]')) row.classList.toggle('new', !known.has(row.id));
  list.replaceChildren(...fresh.childNodes);
  const said = page.getElementById('notice');
  if (said.innerHTML !== notice.innerHTML) notice.replaceChildren(...said.childNodes);
  if (focused) document.getElementById(focused)?.querySelector('a')?.focus();
}

function follow(on) {
  source?.close();
  source = on ? new EventSource('/live') : null;
  if (source) source.onmessage = () => renew().catch(() => {});
  button.textContent = on ? 'Live' : 'Paused';
  button.setAttribute('aria-pressed', String(on));
}

button.hidden = false;
button.addEventListener('click', () => follow(source === null));
follow(true);
