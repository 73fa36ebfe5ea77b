// What is told of a page by itself: that it is looked at, in whatever way one gets to it. And the one function that
// pages call.
import { listen } from './browser.js';
import { watchClicks } from './clicks.js';
import { beginPage, measureEngagement, tellEngagement } from './engagement.js';
import { address, emit, isSilent, moveTo, page } from './event.js';
import { forgetVisitor } from './ids.js';
import { type Consent, type Details, options } from './options.js';
import { flush, forgetUnsent, restoreUnsent } from './unsent.js';

/** After `setOptions`, and whatever was called before, such as that nothing is allowed. */
export function begin(): void {
  listen('online', flush);
  if (FULL) {
    measureEngagement();
    watchClicks();
  }
  if (options.manual !== undefined) return;
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (...change) {
      original.apply(this, change);
      look();
    };
  }
  listen('popstate', look);
  listen('prerenderingchange', look);
  listen('pageshow', ({ persisted }: PageTransitionEvent) => persisted && turnTo(address()));
  look();
}

export function tidemark(name: string, given?: Details | Consent): void {
  if (name === 'consent') allow(given as Consent);
  else if (name === 'pageview') turnTo((given as Details | undefined)?.url ?? address(), given as Details);
  else emit(name, given as Details);
}

/** Unless it is the page that was looked at before: what only changes the query is no other page. */
function look(): void {
  const url = address();
  if (!document.prerendering && url.split('?')[0] !== page.split('?')[0]) turnTo(url);
}

function turnTo(url: string, details?: Details): void {
  if (isSilent()) return;
  const isFirst = !page;
  if (FULL) {
    tellEngagement();
    beginPage();
    if (isFirst) restoreUnsent();
  }
  moveTo(url);
  emit('pageview', details);
  if (FULL && isFirst && options.notFound !== undefined) emit('404', { interactive: false });
}

function allow(allowed: Consent): void {
  options.consent = allowed;
  if (allowed === 'none') forgetUnsent();
  if (FULL && allowed !== 'full') forgetVisitor();
  if (options.manual === undefined) look();
}
