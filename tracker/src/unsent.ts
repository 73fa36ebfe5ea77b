// Events on their way to Tidemark: each sent at once, and again until it is acknowledged, under the id that it was
// given, so that a repetition counts once. What waits is bounded, in memory, and where the page wants it also in
// localStorage, so that the next page sends what this one could not.
import { withStorage } from './browser.js';
import { options } from './options.js';

interface SentEvent {
  readonly id: string;
}

const WAITING_EVENTS_MAX = 100;
const FIRST_PAUSE_MS = 1_000;
/** Browsers send 64 KiB at most after the page is gone, and a character may take three bytes. */
const KEEPALIVE_CHARACTERS_MAX = 20_000;
const STORED = 'tidemark:';

let waiting: SentEvent[] = [];
let pauseMs = FIRST_PAUSE_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Whatever waits goes with it: who comes by may be gone before the pause is over. */
export function send(event: SentEvent): void {
  if (FULL && options.offline !== undefined) keep(event);
  waiting.push(event);
  flush();
}

export function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  waiting.splice(0).forEach(post);
}

/** One in a request: the answer is the event's. */
function post(event: SentEvent): void {
  const body = JSON.stringify({ key: options.key, sentAt: Date.now(), events: [event] });
  // As text, for which browsers need not ask before; without the cookies of Tidemark's host.
  void fetch(options.host + '/v1/events', {
    method: 'POST',
    body,
    credentials: 'omit',
    keepalive: body.length < KEEPALIVE_CHARACTERS_MAX,
  })
    .then(({ status }) => /408|429|5../.test(status as unknown as string))
    .catch(() => true)
    .then((isToBeSentAgain) => {
      if (isToBeSentAgain && options.consent !== 'none') {
        if (waiting.length < WAITING_EVENTS_MAX) waiting.push(event);
        timer ??= setTimeout(flush, (pauseMs *= 2));
      } else {
        pauseMs = FIRST_PAUSE_MS;
        if (FULL) withStorage((storage) => delete storage[STORED + event.id]);
      }
    });
}

/** What earlier pages could not send. */
export function restoreUnsent(): void {
  eachKept((storage, name) => waiting.push(JSON.parse(storage[name] as string) as SentEvent));
}

/** The visitor allows nothing any more. */
export function forgetUnsent(): void {
  waiting = [];
  if (FULL) eachKept((storage, name) => delete storage[name]);
}

function keep(event: SentEvent): void {
  withStorage((storage) => (storage[STORED + event.id] = JSON.stringify(event)));
}

function eachKept(use: (storage: Storage, name: string) => void): void {
  withStorage((storage) => {
    for (const name in storage) if (name.startsWith(STORED)) use(storage, name);
  });
}
