// Control of a browser that was started with `--remote-debugging-pipe` (Chrome DevTools Protocol).

/** Speaks the browser's protocol: messages that end in a zero byte. */
export class Control {
  #asked = new Map();
  #heard = '';
  #number = 0;
  #events = [];
  #awaited = [];

  constructor([, , , to, from]) {
    this.to = to;
    from.setEncoding('utf8').on('data', (chunk) => this.#hear(chunk));
  }

  #hear(chunk) {
    const messages = (this.#heard + chunk).split('\0');
    this.#heard = messages.pop();
    for (const { id, result, error, method, params } of messages.map((message) => JSON.parse(message))) {
      if (method) this.#told(method, params);
      const { done, fail } = this.#asked.get(id) ?? {};
      if (error) fail?.(new Error(error.message));
      else done?.(result);
    }
  }

  #told(method, params) {
    this.#events.push({ method, params });
    for (const look of this.#awaited) look();
  }

  /** Waits for an event, unless it has come already. */
  when(method, fits) {
    return new Promise((come) => {
      const look = () => this.#events.some((event) => event.method === method && fits(event.params)) && come();
      this.#awaited.push(look);
      look();
    });
  }

  ask(method, params = {}, sessionId = undefined) {
    this.#number += 1;
    const id = this.#number;
    this.to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((done, fail) => this.#asked.set(id, { done, fail }));
  }
}
