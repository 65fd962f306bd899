// Follows what happens: the server says that something is new, and renders it.
'use strict';

const list = document.getElementById('calls');
const notice = document.getElementById('notice');
const button = document.getElementById('follow');
let source = null;
let renewing = false;
let again = false;

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

// One at a time, so that an older answer never replaces a newer one.
async function changed() {
  again = true;
  if (renewing) return;
  renewing = true;
  while (again) {
    again = false;
    await renew().catch(() => {});
  }
  renewing = false;
}

function follow(on) {
  source?.close();
  source = on ? new EventSource('/live') : null;
  if (source) {
    source.onmessage = changed;
    // What happened before this connection, or since the last one, is no event of it.
    source.onopen = changed;
    // A browser tries again by itself, unless it was refused.
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) follow(false);
    };
  }
  button.textContent = on ? 'Live' : 'Paused';
  button.setAttribute('aria-pressed', String(on));
}

button.hidden = false;
button.addEventListener('click', () => follow(source === null));
follow(true);
