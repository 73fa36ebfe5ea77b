// An event as it is sent: which page, which visitor, when. Nothing is sent of who opted out or allows nothing, and
// nothing is written to a browser unless its visitor or the page asks for it.
import { withStorage } from './browser.js';
import { type Details, options } from './options.js';
import { send } from './unsent.js';
import { newId, visitorId } from './ids.js';

const URL_CHARACTERS_MAX = 2_048;

interface Measured {
  readonly engagementMs?: number;
  readonly scrollDepth?: number;
}

/** The URL that is looked at, as it was told; empty: none yet. */
export let page = '';
let referrer = '';

export function moveTo(url: string): void {
  referrer = page;
  page = url;
}

export function emit(name: string, details?: Details & Measured): void {
  if (isSilent()) return;
  const event = {
    id: newId(),
    site: options.site,
    name,
    url: page || address(),
    referrer: (referrer || document.referrer).slice(0, URL_CHARACTERS_MAX),
    occurredAt: Date.now(),
    screen: screen.width + 'x' + screen.height,
    consent: options.consent,
    ...(FULL && options.consent === 'full' && { visitorId: visitorId() }),
    ...details,
  };
  send(event);
}

/** Without the fragment, or with it as the end of the path where it names the page. */
export function address(): string {
  const { origin, pathname, search, hash } = location;
  const path =
    FULL && options.hash !== undefined
      ? (pathname + hash).replace(/\?.*/, '').replace(/\/*#!?\/?/, '/')
      : pathname;
  return (origin + path + search).slice(0, URL_CHARACTERS_MAX);
}

export function isSilent(): boolean | undefined {
  const { globalPrivacyControl, doNotTrack } = navigator;
  return (
    options.consent === 'none' ||
    globalPrivacyControl ||
    doNotTrack === '1' ||
    withStorage(({ tidemark_ignore: ignored }) => ignored === 'true')
  );
}
