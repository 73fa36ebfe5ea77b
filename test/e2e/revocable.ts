// Everything by which somebody is let in and that may be taken away: a key, a sign-in, a membership, a shared link.
// Granted and taken away at one node, shown to others.
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenIn } from '../servers/mail-server.js';
import { PASSWORD } from './outside-tester.js';
import type { Node } from './topology.js';

const OWNER = 'owner@shop.example';
const INVITED = 'You are invited';
const ASK_AGAIN_MS = 50;

export interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** What a node says to each that is shown. */
export type Says = Readonly<Record<Kind, Told>>;

const KINDS = ['key', 'sign-in', 'sign-in ended everywhere', 'membership', 'link'] as const;
export type Kind = (typeof KINDS)[number];

type Sent = { readonly key: string; readonly body?: object };

async function call(node: Node, request: string, { key, body }: Partial<Sent> = {}): Promise<Response> {
  const [method, path] = request.split(' ') as [string, string];
  return fetch(`http://${node.address}${path}`, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function said<T>(node: Node, request: string, sent: Partial<Sent> = {}): Promise<T> {
  const response = await call(node, request, sent);
  const text = await response.text();
  if (!response.ok) throw new Error(`${request}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

interface Me {
  readonly person: { readonly id: string };
  readonly merchants: readonly { readonly id: string }[];
}

async function signIn(node: Node, email: string, merchant?: string): Promise<string> {
  const body = { email, password: PASSWORD, ...(merchant !== undefined && { merchant }) };
  return (await said<{ access_token: string }>(node, 'POST /v1/auth/login', { body })).access_token;
}

const register = (node: Node, email: string) =>
  said(node, 'POST /v1/auth/register', { body: { email, password: PASSWORD } });

async function mailTo(node: Node, email: string): Promise<string> {
  for (;;) {
    const mail = node.lines
      .filter((line) => line.includes(email))
      .map((line) => JSON.parse(line) as { to?: string; subject?: string; text?: string })
      .findLast(({ to, subject }) => to === email && subject?.startsWith(INVITED));
    if (mail?.text !== undefined) return mail.text;
    await sleep(ASK_AGAIN_MS);
  }
}

/** A merchant whose owner stays signed in at `node`, and a site of theirs. */
export class Shop {
  static async open(node: Node, domain: string): Promise<Shop> {
    await register(node, OWNER);
    const key = await signIn(node, OWNER);
    const { merchants } = await said<Me>(node, 'GET /v1/me', { key });
    const { id } = await said<{ id: string }>(node, 'POST /v1/sites', { key, body: { domain } });
    return new Shop(node, { owner: key, merchant: merchants[0]!.id, site: id });
  }

  #guests = 0;

  private constructor(
    private readonly node: Node,
    readonly ids: { readonly owner: string; readonly merchant: string; readonly site: string },
  ) {}

  /** Another one of each kind. */
  async grant(): Promise<Granted> {
    const { owner, site } = this.ids;
    const link = await said<{ id: string; token: string }>(this.node, `POST /v1/sites/${site}/shared-links`, {
      key: owner,
      body: { name: 'A link' },
    });
    const session = await said<{ access_token: string }>(this.node, `POST /v1/shared/${link.token}/session`, {
      body: {},
    });
    const [one, two, three] = [await this.#join(), await this.#join(), await this.#join()];
    const key = await this.issue(['stats:read']);
    return new Granted(
      {
        key: key.key,
        'sign-in': one.key,
        'sign-in ended everywhere': two.key,
        membership: three.key,
        link: session.access_token,
      },
      [
        ['DELETE', `/v1/sites/${site}/keys/${key.id}`, owner],
        ['POST', '/v1/auth/logout', one.key],
        ['POST', '/v1/auth/logout?', two.key],
        ['DELETE', `/v1/merchant/members/${three.person}`, owner],
        ['DELETE', `/v1/sites/${site}/shared-links/${link.id}`, owner],
      ],
      this,
    );
  }

  issue(scopes: readonly string[]): Promise<{ readonly id: string; readonly key: string }> {
    const body = { name: 'k', scopes };
    return said(this.node, `POST /v1/sites/${this.ids.site}/keys`, { key: this.ids.owner, body });
  }

  async takeAway(ways: readonly Way[]): Promise<void> {
    for (const [method, path, key] of ways) {
      const body = path.endsWith('?') ? { everywhere: true } : {};
      await said(this.node, `${method} ${path.replace('?', '')}`, {
        key,
        ...(method === 'POST' && { body }),
      });
    }
  }

  /** Somebody new who acts for the merchant. */
  async #join(): Promise<{ readonly person: string; readonly key: string }> {
    const { owner, merchant } = this.ids;
    const email = `guest-${this.#guests++}@shop.example`;
    await register(this.node, email);
    await said(this.node, 'POST /v1/merchant/invitations', { key: owner, body: { email, role: 'viewer' } });
    const token = tokenIn(await mailTo(this.node, email));
    const own = await signIn(this.node, email);
    await said(this.node, 'POST /v1/invitations/accept', { key: own, body: { token } });
    const key = await signIn(this.node, email, merchant);
    const { person } = await said<Me>(this.node, 'GET /v1/me', { key });
    return { person: person.id, key };
  }
}

type Way = readonly [method: string, path: string, key: string];

/** One of each kind, as it is shown. */
export class Granted {
  constructor(
    private readonly shown: Readonly<Record<Kind, string>>,
    private readonly ways: readonly Way[],
    private readonly shop: Shop,
  ) {}

  /** Settles when all of it is stored. */
  takeAway(): Promise<void> {
    return this.shop.takeAway(this.ways);
  }

  /** What whoever shows it hears when they ask for what is kept in memory: no other server is in the way. */
  async shownTo(node: Node): Promise<Says> {
    const told = KINDS.map(async (kind): Promise<[Kind, Told]> => {
      const response = await call(node, `GET /v1/sites/${this.shop.ids.site}/goals`, {
        key: this.shown[kind],
      });
      await response.body?.cancel();
      return [kind, { status: response.status, retryAfter: response.headers.get('retry-after') }];
    });
    return Object.fromEntries(await Promise.all(told)) as Says;
  }
}

export const statusesOf = (says: Says): readonly number[] => KINDS.map((kind) => says[kind].status);
