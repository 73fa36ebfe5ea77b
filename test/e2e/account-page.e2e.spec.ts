// The page where the links of mails lead, in a real browser: what it asks for, what it does, and what it says then.
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../servers/chromium.js';
import { describeWith } from '../servers/describe-with.js';
import { mailedTokenOf } from './mailed-token.js';
import { OperatedProduct } from './operated-product.js';

const PASSWORD = 'correct horse battery staple';
const FRESH = 'a fresh horse battery staple';
const EMAIL = 'kim@shop.example';

describeWith('chromium', 'the page of accounts', () => {
  let product: OperatedProduct;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const settings = { LOG_LEVEL: 'info', PASSWORD_HASH_COST: '12' };
    [product, browser] = await Promise.all([OperatedProduct.start(settings), startChromium('Browser/1')]);
    await post('/v1/auth/register', { email: EMAIL, password: PASSWORD });
  }, 180_000);
  beforeEach(async () => {
    page = await browser.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });

  async function post(path: string, body: object, key?: string): Promise<Response> {
    return fetch(product.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
    });
  }
  const canEnter = async (email: string, password: string) =>
    (await post('/v1/auth/login', { email, password })).ok;
  const open = (fragment: string) => page.goto(`${product.url}/account${fragment}`);
  const fields = () =>
    page
      .locator('input:visible')
      .evaluateAll((inputs) => inputs.map((input) => (input as { name?: string }).name));
  const confirm = () => page.getByRole('button', { name: 'Confirm' }).click();
  const isSaid = (text: string) => page.getByRole('status').getByText(text).waitFor({ timeout: 10_000 });

  it('asks for nothing without the link of a mail', async () => {
    await open('');
    await isSaid('the whole link of the mail');
    expect(await fields()).toEqual([]);
    expect(await page.getByRole('button').isVisible()).toBe(false);
  });

  it('confirms an address by a click, and keeps the token out of the address bar', async () => {
    await open(`#verify=${await mailedTokenOf(product, EMAIL, 'Confirm your e-mail address')}`);
    expect(await fields()).toEqual([]);
    expect(page.url()).toBe(`${product.url}/account`);
    await confirm();
    await isSaid('Your address is confirmed.');
  });

  it('takes another password', async () => {
    await post('/v1/auth/password/forgot', { email: EMAIL });
    await open(`#reset=${await mailedTokenOf(product, EMAIL, 'Choose a new password')}`);
    expect(await fields()).toEqual(['password']);
    await page.locator('[name=password]').fill(FRESH);
    await confirm();
    await isSaid('Sign in with the new password.');
    expect([await canEnter(EMAIL, FRESH), await canEnter(EMAIL, PASSWORD)]).toEqual([true, false]);
  });

  it('lets somebody who was invited register, and says what is wrong until it is right', async () => {
    const { access_token: key } = (await (
      await post('/v1/auth/login', { email: EMAIL, password: FRESH })
    ).json()) as {
      access_token: string;
    };
    const jo = 'jo@shop.example';
    await post('/v1/merchant/invitations', { email: jo, role: 'viewer' }, key);
    await open(`#invitation=${await mailedTokenOf(product, jo, 'You are invited to')}`);
    expect(await fields()).toEqual(['email', 'password', 'totp', 'isNew']);
    await page.locator('[name=email]').fill(jo);
    await page.locator('[name=password]').fill('short');
    await page.locator('[name=isNew]').check();
    await confirm();
    await isSaid('password');
    await page.locator('[name=password]').fill(PASSWORD);
    await confirm();
    await isSaid('You are a member now.');
    expect(complaints).toEqual([]);
  });
});
