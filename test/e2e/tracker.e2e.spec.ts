// The tracker in a real browser, on pages of another origin, against the running product: what visitors do arrives in
// the log as it happened, once, and of those who do not want it nothing does.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import type { EmbeddedTrackingLog } from '../../src/tracking-log/embedded.tracking-log.js';
import { startChromium } from '../servers/chromium.js';
import { describeWith } from '../servers/describe-with.js';
import { OperatedProduct } from './operated-product.js';
import { openLog, type SiteOptions, TrackedSite } from './tracked-site.js';

/** What would be sent is sent by then. */
const QUIET_MS = 400;
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

describeWith('chromium', 'the tracker', () => {
  let product: OperatedProduct;
  let browser: Browser;
  let log: EmbeddedTrackingLog;
  let site: TrackedSite;
  let context: BrowserContext;
  let page: Page;
  let sites = 0;

  beforeAll(async () => {
    [product, browser] = await Promise.all([OperatedProduct.start({}), startChromium(USER_AGENT)]);
    log = openLog(product);
  }, 180_000);
  afterEach(async () => {
    await context?.close();
    await site?.stop();
  });
  afterAll(async () => {
    await browser?.close();
    await log?.close();
    await product?.stop();
  });

  /** A site, and a visitor who has no page of it open yet. */
  async function given(options: SiteOptions = {}, visitor: BrowserContextOptions = {}): Promise<void> {
    site = await TrackedSite.start({ product, log }, `shop${++sites}.example`, options);
    context = await browser.newContext(visitor);
    page = await context.newPage();
  }

  const open = (path = '/') => page.goto(site.origin + path);
  /** Given as text: it runs in the page. */
  const run = <T>(code: string) => page.evaluate<T>(code);
  const silent = async () => {
    await sleep(QUIET_MS);
    expect(await site.logged()).toEqual([]);
  };
  /** That browsers have asked Tidemark. */
  const preflights = async () => {
    const metrics = await (await fetch(`${product.url}/metrics`)).text();
    return metrics
      .split('\n')
      .filter((line) => line.includes('method="OPTIONS"'))
      .join('\n');
  };
  const withoutEngagement = (events: readonly TrackedEvent[]) =>
    events.filter(({ name }) => name !== 'engagement');
  const paths = (events: readonly TrackedEvent[]) => events.map(({ url }) => new URL(url!).pathname);
  /** Those that are not about attention, once there are `count` of them. */
  async function happened(count: number): Promise<readonly TrackedEvent[]> {
    for (let tries = 0; tries < 400; tries++) {
      const events = withoutEngagement(await site.logged());
      if (events.length >= count) {
        expect(events.map(({ name, url }) => `${name} ${url}`)).toHaveLength(count);
        return events;
      }
      await sleep(25);
    }
    throw new Error(`Too few: ${JSON.stringify(await site.logged())}`);
  }

  describe('a page that is looked at', () => {
    it('is counted, and leaves nothing in the browser, which need not ask before', async () => {
      await given();
      const before = await preflights();
      await open('/pricing?utm_source=news#top');
      const [event] = await happened(1);
      expect(event).toMatchObject({
        name: 'pageview',
        url: `${site.origin}/pricing?utm_source=news`,
        screen: '1280x720',
        userAgent: USER_AGENT,
      });
      expect(event!.visitorGiven).toBeUndefined();
      expect(await context.cookies()).toEqual([]);
      expect(await run('localStorage.length + sessionStorage.length')).toBe(0);
      expect(await preflights()).toBe(before);
    });

    it('says where its visitor came from', async () => {
      await given();
      site.serve('/', { body: '<a href="/next">next</a>', head: '' });
      await open('/');
      await page.click('a');
      const [event] = await happened(1);
      expect(event!.referrer).toBe(`${site.origin}/`);
    });

    it('is counted once though the tag is there twice', async () => {
      await given();
      const tag = `<script defer src="${product.url}/t.js" data-site="${site.domain}" data-key="${site.key}"></script>`;
      site.serve('/', { head: tag + tag });
      await open();
      await happened(1);
      await sleep(QUIET_MS);
      await happened(1);
    });

    it('is counted when the script changes it: pushState, replaceState, back; not where the query alone changes', async () => {
      await given();
      await open('/');
      await run(`history.pushState(null, '', '/a')`);
      await run(`history.pushState(null, '', '/a?page=2')`);
      await run(`history.replaceState(null, '', '/b')`);
      await run('history.back()');
      const events = await happened(4);
      expect(paths(events)).toEqual(['/', '/a', '/b', '/a']);
      expect(events[1]!.referrer).toBe(`${site.origin}/`);
    });

    it('is counted again when the browser shows it again as it was (bfcache)', async () => {
      await given();
      await open('/a');
      await happened(1);
      await run('window.mark = 1');
      await open('/b');
      // It is there at once: nothing is loaded.
      await page.goBack({ waitUntil: 'commit' });
      const events = await happened(3);
      expect(paths(events)).toEqual(['/a', '/b', '/a']);
      // Else it was loaded anew, and nothing was tried.
      expect(await run('window.mark')).toBe(1);
    });

    it('is named by the fragment where the tag says so', async () => {
      await given({ attributes: 'data-hash' });
      await open('/app#/pricing?tab=1');
      await run(`location.hash = '#/users'`);
      await run(`location.hash = '#!/orders'`);
      expect(paths(await happened(3))).toEqual(['/app/pricing', '/app/users', '/app/orders']);
    });

    it('is not named by the fragment otherwise', async () => {
      await given();
      await open('/app#/pricing');
      await run(`location.hash = '#/users'`);
      await sleep(QUIET_MS);
      expect(paths(await happened(1))).toEqual(['/app']);
    });

    it('that is rendered ahead is counted when it is shown', async () => {
      await given();
      // As browsers say it; Chromium itself renders nothing ahead while it is driven from outside.
      await page.addInitScript(
        `Object.defineProperty(document, 'prerendering', { get: () => !window.isShown })`,
      );
      await open('/ahead');
      await run(`history.replaceState(null, '', '/next')`);
      await silent();
      await run(
        `window.isShown = true; document.dispatchEvent(new Event('prerenderingchange', { bubbles: true }))`,
      );
      expect(paths(await happened(1))).toEqual(['/next']);
    });

    it('is not counted of itself where the page counts by calls', async () => {
      await given({ attributes: 'data-manual' });
      await open('/');
      await run(`history.pushState(null, '', '/a')`);
      await run(`tidemark('pageview', { url: 'https://shop.example/b' })`);
      expect(paths(await happened(1))).toEqual(['/b']);
    });

    it('that was not found says so', async () => {
      await given({ attributes: 'data-not-found' });
      await open('/nowhere');
      const events = await happened(2);
      expect(events.map(({ name, interactive }) => [name, interactive])).toEqual([
        ['pageview', undefined],
        ['404', false],
      ]);
      await run(`history.pushState(null, '', '/found')`);
      expect((await happened(3)).at(-1)).toMatchObject({ name: 'pageview' });
    });
  });

  describe('what visitors do on it', () => {
    it('links to elsewhere and files, and no others', async () => {
      await given();
      site.serve('/', {
        body: `<a id="out" href="https://elsewhere.example/path?q=secret#x">out</a>
          <a id="in" href="/in">in</a><a id="mail" href="mailto:a@b.example">mail</a>
          <a id="file" href="/price-list.PDF?v=2">file</a><a id="saved" href="/data" download>data</a>
          <svg><a id="drawn" href="https://elsewhere.example/svg"><text y="20">drawn</text></a></svg>
          <script>addEventListener('click', (e) => { e.preventDefault(); e.stopPropagation(); }, true)</script>`,
      });
      await open();
      for (const id of ['out', 'in', 'mail', 'file', 'saved']) await page.click(`#${id}`);
      await page.click('#out', { button: 'middle' });
      await page.click('#out', { button: 'right' });
      await page.click('#drawn');
      const events = (await happened(5)).slice(1);
      expect(events.map(({ name, props }) => [name, props])).toEqual([
        ['Outbound Link: Click', { url: 'https://elsewhere.example/path' }],
        ['File Download', { url: `${site.origin}/price-list.PDF` }],
        ['File Download', { url: `${site.origin}/data` }],
        ['Outbound Link: Click', { url: 'https://elsewhere.example/path' }],
      ]);
    });

    it('a link that is followed is told before the page is gone', async () => {
      await given();
      site.serve('/', { body: `<a href="${product.url}/health/live">out</a>` });
      await open();
      await page.click('a');
      expect((await happened(2))[1]).toMatchObject({ name: 'Outbound Link: Click' });
    });

    it('forms that are sent', async () => {
      await given();
      site.serve('/', {
        body: `<form id="contact" action="/sent"><input name="id" required><button>send</button></form>`,
      });
      await open();
      await page.click('button');
      await page.fill('input', 'private');
      await page.click('button');
      await page.waitForURL('**/sent*');
      const events = await happened(3);
      expect(events.map(({ name, props }) => [name, props])).toEqual([
        ['pageview', undefined],
        ['Form: Submission', { form: 'contact' }],
        ['pageview', undefined],
      ]);
      expect(JSON.stringify(events)).not.toContain('private');
    });

    it('what elements are named by attributes, in place of what they would be', async () => {
      await given();
      site.serve('/', {
        body: `<button data-tidemark-event="Order" data-tidemark-revenue="12.50" data-tidemark-currency="eur"
            data-tidemark-plan="pro" data-tidemark-seat-count="5"><b>buy</b></button>
          <a data-tidemark-event="Partner" href="https://elsewhere.example/" target="frame">partner</a>
          <form data-tidemark-event="Signup" data-tidemark-from="footer" action="/sent" target="frame"><input><u>send</u>
          <button>send</button></form><iframe name="frame"></iframe>`,
      });
      await open();
      await page.click('b');
      await page.click('a');
      await page.click('input');
      await page.click('form button');
      const events = (await happened(5)).filter(
        ({ name, url }) => name !== 'pageview' || !url!.includes('sent'),
      );
      expect(events.slice(1).map(({ name, props, revenue }) => [name, props, revenue])).toEqual([
        ['Order', { plan: 'pro', 'seat-count': '5' }, { amount: '12.5', currency: 'EUR' }],
        ['Partner', {}, undefined],
        ['Signup', { from: 'footer' }, undefined],
      ]);
    });

    it('nothing of what the tag switches off', async () => {
      await given({ attributes: 'data-off="outbound downloads forms engagement"' });
      site.serve('/', {
        body: `<a id="out" href="https://elsewhere.example/">out</a><a id="file" href="/a.zip">file</a>
          <form action="/sent"><button>send</button></form>
          <script>addEventListener('click', (e) => e.target.href && e.preventDefault())</script>`,
      });
      await open();
      await page.click('#out');
      await page.click('#file');
      await sleep(QUIET_MS);
      await page.click('button');
      await page.waitForURL('**/sent*');
      expect(await site.told(2)).toEqual(['pageview /', 'pageview /sent']);
    });
  });

  describe('what the page says', () => {
    it('events with properties and revenue', async () => {
      await given();
      await open('/thanks');
      await run(`tidemark('Order', {
        props: { plan: 'pro', seats: 5, gift: true }, revenue: { amount: 12.5, currency: 'EUR' }, interactive: false,
      })`);
      expect((await happened(2))[1]).toMatchObject({
        name: 'Order',
        url: `${site.origin}/thanks`,
        props: { plan: 'pro', seats: 5, gift: true },
        revenue: { amount: '12.5', currency: 'EUR' },
        interactive: false,
      });
    });

    it('before the script is there', async () => {
      await given({
        head: `<script>window.tidemark=window.tidemark||function(){(tidemark.q=tidemark.q||[]).push(arguments)};
          tidemark('consent', 'cookieless'); tidemark('Early', { props: { a: 1 } })</script>`,
        settings: { consentMode: 'none' },
      });
      await open();
      const names = (await happened(2)).map(({ name }) => name);
      expect(names.toSorted()).toEqual(['Early', 'pageview']);
    });

    it('from a bundle, whose second start does nothing', async () => {
      await given();
      const module = await readFile('tracker/dist/module.js', 'utf8');
      site.serve('/tracker.js', { script: module });
      site.serve('/', {
        head: '',
        body: `<script type="module">
          import { init } from '/tracker.js';
          const options = { host: '${product.url}', site: '${site.domain}', key: '${site.key}' };
          const tidemark = init(options);
          tidemark('Bundled', { props: { same: tidemark === init(options) } });
        </script>`,
      });
      await open();
      expect((await happened(2))[1]).toMatchObject({ name: 'Bundled', props: { same: true } });
    });

    it('by the small script, which counts pages and calls alone', async () => {
      await given();
      site.serve('/', {
        head: `<script defer src="${product.url}/t.core.js" data-site="${site.domain}" data-key="${site.key}"></script>`,
        body: '<a href="https://elsewhere.example/">out</a><script>addEventListener("click", (e) => e.preventDefault())</script>',
      });
      await open();
      await page.click('a');
      await run(`history.pushState(null, '', '/a')`);
      await run(`tidemark('Called')`);
      expect(await site.told(3)).toEqual(['pageview /', 'pageview /a', 'Called /a']);
    });
  });

  describe('attention', () => {
    it('is told when the page is left: how long, and how far down', async () => {
      await given();
      site.serve('/long', { body: '<div style="height:4000px">long</div>' });
      await open('/long');
      await happened(1);
      await run('scrollTo(0, 1280)');
      await sleep(600);
      await open('/next');
      const [, engagement] = await site.events(3);
      expect(engagement).toMatchObject({ name: 'engagement', url: `${site.origin}/long` });
      expect(engagement!.engagementMs).toBeGreaterThanOrEqual(600);
      expect(engagement!.engagementMs).toBeLessThan(60_000);
      expect(engagement!.scrollDepth).toBeGreaterThan(45);
      expect(engagement!.scrollDepth).toBeLessThan(55);
    });

    it('is told of each page of one document, from its own beginning', async () => {
      await given();
      site.serve('/', { body: '<div style="height:4000px">long</div>' });
      await open('/');
      await happened(1);
      await run('scrollTo(0, 4000)');
      await sleep(100);
      await run(`history.pushState(null, '', '/second'); scrollTo(0, 0)`);
      await sleep(300);
      await open('/third');
      const told = (await site.events(5)).filter(({ name }) => name === 'engagement');
      expect(paths(told)).toEqual(['/', '/second']);
      expect(told[0]!.scrollDepth).toBe(100);
      expect(told[1]!.scrollDepth).toBeLessThan(30);
      expect(told[1]!.engagementMs).toBeGreaterThanOrEqual(300);
    });

    it('is told when the page is hidden, and not counted while it is, nor while its window is not in use', async () => {
      await given();
      // Chromium says of every page that is driven from outside that it is in use.
      await page.addInitScript(`
        window.isHidden = false; window.inUse = true;
        Object.defineProperty(document, 'hidden', { get: () => isHidden });
        document.hasFocus = () => inUse;
      `);
      await open('/');
      await happened(1);
      await sleep(200);
      await run(`isHidden = true; document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`);
      const first = (await site.events(2))[1]!;
      await sleep(500);
      await run(`isHidden = false; document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`);
      await sleep(200);
      await run(`inUse = false; window.dispatchEvent(new Event('blur'))`);
      await sleep(500);
      await run(`isHidden = true; document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`);
      const second = (await site.events(3))[2]!;
      const elapsedMs = second.occurredAt - first.occurredAt;
      expect([first.name, second.name]).toEqual(['engagement', 'engagement']);
      expect(second.engagementMs).toBeGreaterThanOrEqual(200);
      expect(second.engagementMs).toBeLessThanOrEqual(elapsedMs - 900);
    });
  });

  describe('an event that does not get through', () => {
    /** What a query counts, repetitions dropped. */
    async function counted(): Promise<readonly number[]> {
      await product.quiet();
      const { results } = await product.said<{ results: [{ metrics: number[] }] }>(
        'POST',
        `/v1/sites/${site.id}/query`,
        { metrics: ['visitors', 'pageviews', 'events'], date_range: 'day' },
      );
      return results[0].metrics;
    }

    it('is sent when the browser is online again, at the time when it happened', async () => {
      await given();
      await open();
      await happened(1);
      await context.setOffline(true);
      const from = Date.now();
      await run(`tidemark('Offline'); history.pushState(null, '', '/a')`);
      const to = Date.now();
      await sleep(1_200);
      expect(withoutEngagement(await site.logged())).toHaveLength(1);
      await context.setOffline(false);
      const late = (await happened(3)).slice(1);
      expect(late.map(({ name }) => name).toSorted()).toEqual(['Offline', 'pageview']);
      for (const { occurredAt } of late) {
        expect(occurredAt).toBeGreaterThanOrEqual(from - 200);
        expect(occurredAt).toBeLessThanOrEqual(to + 200);
      }
    });

    it('is sent again after Tidemark was away, and counted once though it had been taken', async () => {
      await given();
      // The first try is taken, but its answer is lost on the way.
      let tries = 0;
      await page.route('**/v1/events', async (route) => {
        if (tries++ > 0) return route.continue();
        await route.fetch();
        await route.abort('connectionreset');
      });
      await open();
      await happened(1);
      await product.kill('SIGTERM');
      await run(`tidemark('Away')`);
      await product.startAgain();
      // Either one has its pause, or goes with what comes next.
      await run(`tidemark('Back')`);
      for (let wait = 0; wait < 400 && new Set((await site.logged()).map(({ id }) => id)).size < 3; wait++) {
        await sleep(25);
      }
      expect(tries).toBeGreaterThan(3);
      expect(await counted()).toEqual([1, 1, 3]);
    });

    it('is left to the next page where the tag allows it, and is nowhere afterwards', async () => {
      await given({ attributes: 'data-offline data-off="engagement"' });
      await open('/');
      await happened(1);
      await page.route('**/v1/events', (route) => route.abort('connectionrefused'));
      await run(`tidemark('Kept')`);
      expect(
        await run(`Object.keys(localStorage).filter((name) => name.startsWith('tidemark:')).length`),
      ).toBe(1);
      await page.close();
      page = await context.newPage();
      await open('/next');
      const events = await happened(3);
      expect(events.map(({ name }) => name)).toEqual(['pageview', 'Kept', 'pageview']);
      await page.waitForFunction('localStorage.length === 0');
    });

    it('is not sent again where it is refused for good', async () => {
      await given();
      const statuses: number[] = [];
      page.on('response', (response) => {
        if (response.url().endsWith('/v1/events')) statuses.push(response.status());
      });
      await open();
      await happened(1);
      await run(`tidemark('x'.repeat(200))`);
      await sleep(2_500);
      expect(statuses).toEqual([202, 400]);
    });

    it('is told with the right time though the clock of the visitor is wrong', async () => {
      await given();
      await page.addInitScript('const now = Date.now; Date.now = () => now() - 3 * 3600000');
      await open();
      const [event] = await happened(1);
      expect(Math.abs(event!.occurredAt - event!.receivedAt)).toBeLessThan(2_000);
      expect(event!.timeReplaced).toBeUndefined();
    });
  });

  describe('a visitor', () => {
    it.each([
      [
        'with Global Privacy Control',
        `Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })`,
      ],
      ['who asks not to be tracked', `Object.defineProperty(navigator, 'doNotTrack', { value: '1' })`],
      ['who opted out in this browser', `localStorage.tidemark_ignore = 'true'`],
    ])('%s is not told of', async (_, script) => {
      await given();
      await page.addInitScript(script);
      await open();
      await run(`tidemark('Signup'); history.pushState(null, '', '/a')`);
      await silent();
    });

    it('of whom nothing is allowed is not told of, until it is', async () => {
      await given({ attributes: 'data-consent="none"', settings: { consentMode: 'none' } });
      const sent: string[] = [];
      page.on('request', (request) => sent.push(new URL(request.url()).pathname));
      await open('/first');
      await run(`tidemark('Signup')`);
      await silent();
      expect(sent).not.toContain('/v1/events');
      await run(`tidemark('consent', 'cookieless')`);
      const [event] = await happened(1);
      expect(event!.url).toBe(`${site.origin}/first`);
      expect(await context.cookies()).toEqual([]);
      await run(`tidemark('consent', 'none'); tidemark('Signup')`);
      await sleep(QUIET_MS);
      await happened(1);
    });

    it('who allows an id has one in a cookie of the site, until it is taken back', async () => {
      await given({ settings: { consentMode: 'none' }, attributes: 'data-consent="full"' });
      await open('/');
      const [first] = await happened(1);
      const [cookie] = await context.cookies();
      expect(cookie).toMatchObject({ name: 'tidemark_id', path: '/', sameSite: 'Lax', secure: true });
      expect(cookie!.expires - Date.now() / 1000).toBeLessThan(396 * 86_400);
      await open('/next');
      const second = (await happened(2))[1];
      expect(first!.visitorGiven).toBe(true);
      expect(second!.visitor).toBe(first!.visitor);
      await run(`tidemark('consent', 'cookieless'); tidemark('Signup')`);
      const third = (await happened(3))[2];
      expect(third!.visitorGiven).toBeUndefined();
      expect(await context.cookies()).toEqual([]);
    });

    it('who runs no scripts is counted by the image', async () => {
      await given({}, { javaScriptEnabled: false });
      site.serve('/plain', {
        body: `<noscript><img src="${product.url}/v1/pixel.gif?site=${site.domain}" referrerpolicy="no-referrer-when-downgrade" alt=""></noscript>`,
      });
      await open('/plain?utm_source=mail');
      expect(await happened(1)).toMatchObject([
        { name: 'pageview', url: `${site.origin}/plain?utm_source=mail`, userAgent: USER_AGENT },
      ]);
    });
  });

  it('works where the page lets in nothing else', async () => {
    await given();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    site.serve('/strict', {
      body: '<button data-tidemark-event="Strict">a</button>',
      headers: {
        'content-security-policy': `default-src 'none'; img-src data:; script-src ${product.url}; connect-src ${product.url}`,
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-opener-policy': 'same-origin',
      },
    });
    await open('/strict');
    await page.click('button');
    await happened(2);
    expect(faults).toEqual([]);
  });
});
