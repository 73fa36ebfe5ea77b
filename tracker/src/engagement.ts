// How long a page was looked at (visible, and its window in use), and how far down one got. Told when the page is
// hidden or left, as what has come since it was last told: the sum is the time, the greatest depth the depth.
import { listen } from './browser.js';
import { emit, page } from './event.js';
import { options } from './options.js';

let engagedMs = 0;
/** 0: nobody looks. */
let lookingSinceMs = 0;
let deepestPixel = 0;

export function measureEngagement(): void {
  listen('focus', takeTime);
  listen('blur', takeTime);
  listen('scroll', takeDepth);
  // Also when the page is left: browsers hide it then. Of one that is shown again there is nothing to tell yet.
  listen('visibilitychange', tellEngagement);
}

export function tellEngagement(): void {
  takeTime();
  // A page that nobody scrolled is seen down to the end of the window.
  if (engagedMs) takeDepth();
  const scrollDepth = Math.min(
    100,
    Math.round((deepestPixel / document.scrollingElement!.scrollHeight) * 100),
  );
  if (page && engagedMs && !options.off.includes('engagement')) {
    emit('engagement', { engagementMs: Math.round(engagedMs), scrollDepth });
  }
  engagedMs = 0;
}

/** In the same document. */
export function beginPage(): void {
  deepestPixel = 0;
}

function takeTime(): void {
  const nowMs = performance.now();
  if (lookingSinceMs) engagedMs += nowMs - lookingSinceMs;
  lookingSinceMs = !document.hidden && document.hasFocus() ? nowMs : 0;
}

function takeDepth(): void {
  deepestPixel = Math.max(deepestPixel, scrollY + innerHeight);
}
