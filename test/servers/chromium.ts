// A real browser: Debian's Chromium, or whichever TEST_CHROMIUM names, driven by playwright-core, which brings none.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const DEBIANS = '/usr/bin/chromium';
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
];

type Found =
  { readonly source: 'installed'; readonly path: string } | { readonly source: 'none'; why: string };

export function findChromium(): Found {
  const named = process.env['TEST_CHROMIUM'];
  if (named !== undefined) {
    return existsSync(named)
      ? { source: 'installed', path: named }
      : { source: 'none', why: `TEST_CHROMIUM is ${named}, where nothing is` };
  }
  if (existsSync(DEBIANS)) return { source: 'installed', path: DEBIANS };
  if (spawnSync('chromium', ['--version']).status === 0) return { source: 'installed', path: 'chromium' };
  return { source: 'none', why: 'no chromium on the PATH, and TEST_CHROMIUM names none' };
}

/** Its own name says that it is headless, which makes it a bot; and what is said in its place must hold when a page is gone. */
export async function startChromium(userAgent: string): Promise<Browser> {
  const found = findChromium();
  if (found.source === 'none') throw new Error(`There is no Chromium: ${found.why}`);
  // Not above: who only asks whether there is one need not wait for it.
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: found.path,
    args: [...ARGUMENTS, `--user-agent=${userAgent}`],
    // Playwright switches off what visitors have, and what the tracker must be right with.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}
