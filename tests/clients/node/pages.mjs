// A user without a browser: goes through the login and consent pages of an authorization server.

const LONGEST = 20;

/** Opens a page and submits each form as `user` until the server redirects to `redirectUrl`; returns the parameters. */
export async function authorize(page, redirectUrl, user) {
  const cookies = new Cookies();
  let request = { url: new URL(page), init: {} };
  for (let step = 0; step < LONGEST; step += 1) {
    const { url, init } = request;
    const headers = { ...init.headers, cookie: cookies.for(url) };
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    cookies.keep(answer);
    const location = answer.headers.get('location');
    if (!location) {
      request = submit(url, answer.status, await answer.text(), user);
    } else if (location.startsWith(`${redirectUrl}?`)) {
      return new URL(location).searchParams;
    } else {
      request = { url: new URL(location, url), init: {} };
    }
  }
  throw new Error(`no redirect to the client after ${LONGEST} pages`);
}

/** Fills in the first form of a page, and never denies. */
function submit(url, status, text, user) {
  const form = /<form\b([^>]*)>(.*?)<\/form>/su.exec(text);
  if (!form) throw new Error(`${status} without a form at ${url}: ${text}`);
  const fields = new URLSearchParams();
  for (const [input] of form[2].matchAll(/<(?:input|button)\b[^>]*>/gu)) {
    const [name, value, type] = ['name', 'value', 'type'].map((each) => attribute(input, each));
    if (!name || name === 'cancel' || value === 'deny') continue;
    if (type === 'checkbox') {
      fields.append(name, value);
      continue;
    }
    // Of several buttons of one name, the one of the user.
    if (fields.has(name) && value !== user) continue;
    // A field that is there to be filled in may have an empty value.
    fields.set(name, type === 'hidden' ? (value ?? '') : value || user);
  }
  return {
    url: new URL(attribute(form[1], 'action') ?? '', url),
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: fields.toString(),
    },
  };
}

function attribute(tag, name) {
  const found = new RegExp(`\\s${name}="([^"]*)"`, 'u').exec(tag)?.[1];
  const character = (_, hex) => String.fromCodePoint(parseInt(hex, 16));
  return found?.replaceAll(/&#x([0-9a-f]+);/giu, character).replaceAll('&amp;', '&');
}

/** The cookies of one server, each under its name and path. */
class Cookies {
  #kept = new Map();

  keep(answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ');
      const path = attributes.find((text) => /^path=/iu.test(text))?.slice('path='.length) ?? '/';
      const name = pair.slice(0, pair.indexOf('='));
      this.#kept.set(`${name} ${path}`, { pair, path });
    }
  }

  for({ pathname }) {
    const here = [...this.#kept.values()].filter(({ path }) => pathname.startsWith(path));
    return here.map(({ pair }) => pair).join('; ');
  }
}
