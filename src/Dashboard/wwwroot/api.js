// The public API as the pages use it. Every failure becomes a Problem with words for people.

const Patience = 15000; // Milliseconds until an answer must have come: nothing here waits without an end.

export class Problem extends Error {
  constructor(status, detail, problems = []) {
    super(detail);
    this.status = status;
    this.problems = problems ?? [];
  }
}

export const get = (path, signal) => send(path, {}, signal);

export const post = (path, body = {}, signal) => send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }, signal);

async function send(path, request, signal) {
  let response;
  try {
    const timeout = AbortSignal.timeout(Patience);
    response = await fetch(`/api/v1/${path}`, { ...request, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The cluster does not answer. This page goes on when it does.");
  }

  if (response.status === 401) logIn();
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new Problem(response.status, answer?.detail ?? `The cluster answered ${response.status}.`, answer?.problems);
}

export function logIn() {
  location.assign(`/login?from=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Asks again and again until the page is left; while a page lies in the background it rests. */
export async function poll(period, signal, ask, onProblem) {
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        await ask();
        onProblem(null);
      } catch (error) {
        if (signal.aborted) return;
        onProblem(error);
      }
    }

    await new Promise(resolve => setTimeout(resolve, period));
  }
}

/**
 * Server-Sent Events. The browser resumes by itself behind the last event; when it gives up, because the server was gone or
 * refused, this asks again behind that event after a moment.
 * @param {(after: string | null) => string} pathOf path behind the last event's id
 */
export function stream(pathOf, name, signal, onData, onState) {
  let last = null;
  const open = () => {
    if (signal.aborted) return;
    const source = new EventSource(`/api/v1/${pathOf(last)}`);
    const close = () => source.close();
    signal.addEventListener("abort", close, { once: true });
    source.addEventListener("open", () => onState("live"));
    source.addEventListener(name, event => {
      last = event.lastEventId || last;
      onData(JSON.parse(event.data));
    });
    source.addEventListener("end", () => {
      close();
      onState("ended");
    });
    source.addEventListener("error", () => {
      onState("away");
      if (source.readyState !== EventSource.CLOSED) return;
      signal.removeEventListener("abort", close);
      setTimeout(open, 2000);
    });
  };
  open();
}
