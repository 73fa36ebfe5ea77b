// Access tokens and the keys that sign them, on a real PostgreSQL: what is ours is taken, and nothing that anybody
// else made, changed or kept too long. Nothing is fetched from anywhere.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';
import { KeyPepper } from '../../keys/key-pepper.js';
import { AccessTokens } from './access-tokens.js';
import { SigningKeys } from './signing-keys.js';

const ISSUER = 'https://stats.example';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const pepper = new KeyPepper('a pepper of more than 32 characters, surely');
const who = { person: 'p1', signIn: 'si1', merchant: 'm1', generation: 0 };

let postgres: MigratedPostgres;
let keys: SigningKeys;
let tokens: AccessTokens;
let nowMs: number;
let outside: Server;
let fetched: number;
const clock = () => nowMs;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  outside = createServer((_, response) => {
    fetched++;
    response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  await postgres.pool.query('DELETE FROM people.signing_keys');
  nowMs = Date.parse('2026-11-21T10:00:00Z');
  fetched = 0;
  keys = new SigningKeys(postgres.pool, pepper, clock);
  tokens = new AccessTokens(keys, ISSUER, clock);
});
afterAll(async () => {
  outside.close();
  await postgres.stop();
});

const parts = (token: string) => token.split('.') as [string, string, string];
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part: string) =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;

describe('an access token', () => {
  it('says who it is for, on this node and on another', async () => {
    const token = await tokens.issue(who);
    expect(await tokens.verify(token)).toEqual(who);
    const other = new AccessTokens(new SigningKeys(postgres.pool, pepper, clock), ISSUER, clock);
    expect(await other.verify(token)).toEqual(who);
    const nobodys = await tokens.issue({ ...who, merchant: null });
    expect(await tokens.verify(nobodys)).toEqual({ ...who, merchant: null });
    expect(decoded(parts(token)[0])).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
  });

  it('is good for ten minutes, also where it is remembered', async () => {
    const token = await tokens.issue(who);
    expect(await tokens.verify(token)).toEqual(who);
    nowMs += 599_000;
    expect(await tokens.verify(token)).toEqual(who);
    nowMs += 2_000;
    expect(await tokens.verify(token)).toBeUndefined();
    nowMs += 10_000;
    expect(await new AccessTokens(keys, ISSUER, clock).verify(token)).toBeUndefined();
  });

  it('is refused when any character of it is another', async () => {
    const token = await tokens.issue(who);
    for (let at = 0; at < token.length - 1; at += 7) {
      if (token[at] === '.') continue;
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect([at, await tokens.verify(changed)]).toEqual([at, undefined]);
    }
  });

  it.each(['', '.', '..', 'a.b.c', 'eyJ.eyJ.', 'x'.repeat(5_000), '\u0000.\u0000.\u0000'])(
    'is not %j',
    async (text) => {
      expect(await tokens.verify(text)).toBeUndefined();
    },
  );
});

describe('a forged token', () => {
  /** Ours but for one thing, signed by the true key. */
  async function signed({ header = {}, claims = {} }: { header?: object; claims?: object }): Promise<string> {
    const { id, privateKey } = await keys.signing();
    const now = Math.floor(nowMs / 1000);
    const all = {
      ...{ iss: ISSUER, aud: ISSUER, sub: 'p1', sid: 'si1', merchant: 'm1', generation: 0 },
      ...{ iat: now, nbf: now, exp: now + 600 },
      ...claims,
    };
    return new SignJWT(all)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: id, ...header })
      .sign(privateKey);
  }
  const publishedKey = async () => (await keys.published())[0]!;
  const hostile = () => `http://127.0.0.1:${(outside.address() as AddressInfo).port}/jwks.json`;

  it('is not what this spec makes when nothing is wrong', async () => {
    expect(await tokens.verify(await signed({}))).toEqual(who);
  });

  it('without a signature is refused, however that is spelled', async () => {
    const [, payload] = parts(await tokens.issue(who));
    const { kid } = await publishedKey();
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      const header = encoded({ alg, typ: 'at+jwt', kid });
      expect(await tokens.verify(`${header}.${payload}.`)).toBeUndefined();
      expect(await tokens.verify(`${header}.${payload}.AAAA`)).toBeUndefined();
    }
    expect(await tokens.verify(new UnsecuredJWT(decoded(payload)).encode())).toBeUndefined();
  });

  it('by HMAC under the public key is refused', async () => {
    const [, payload] = parts(await tokens.issue(who));
    const jwk = await publishedKey();
    const publicKey = await importJWK({ ...jwk }, 'ES256', { extractable: true });
    const secrets = [await exportSPKI(publicKey as never), JSON.stringify(jwk), String(jwk.x)];
    for (const secret of secrets) {
      const head = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${payload}`;
      const tag = createHmac('sha256', secret).update(head).digest('base64url');
      expect(await tokens.verify(`${head}.${tag}`)).toBeUndefined();
    }
  });

  it('that brings its own key, or says where one is, is refused and nothing is fetched', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const [, payload] = parts(await tokens.issue(who));
    const { kid } = await publishedKey();
    for (const header of [
      { kid, jwk },
      { kid: 'other', jwk },
      { kid, jku: hostile() },
      { kid: 'other', jku: hostile() },
      { kid: hostile() },
      { kid, x5u: hostile() },
      { kid: `../../../../etc/passwd` },
      { kid: "' OR 1=1 --" },
      {},
    ]) {
      const forged = await new SignJWT(decoded(payload))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
        .sign(privateKey);
      expect([header, await tokens.verify(forged)]).toEqual([header, undefined]);
    }
    for (const kid of [5, null, {}, ['a']]) {
      const forged = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid })}.${payload}.AAAA`;
      expect(await tokens.verify(forged)).toBeUndefined();
    }
    expect(fetched).toBe(0);
  });

  const seconds = (offset: number) => Math.floor(Date.parse('2026-11-21T10:00:00Z') / 1000) + offset;
  it.each([
    ['another audience', { claims: { aud: 'https://other.example' } }],
    ['another issuer', { claims: { iss: 'https://other.example' } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['no type', { header: { typ: undefined } }],
    ['an expiry that has passed', { claims: { exp: seconds(-10) } }],
    ['no expiry', { claims: { exp: undefined } }],
    ['a beginning that is to come', { claims: { nbf: seconds(60) } }],
    ['no beginning', { claims: { nbf: undefined } }],
    ['a date of issue that is to come', { claims: { iat: seconds(60) } }],
    [
      'a date of issue long ago, and an expiry far ahead',
      { claims: { iat: seconds(-7200), exp: seconds(7200) } },
    ],
    ['nobody', { claims: { sub: undefined } }],
    ['no sign-in', { claims: { sid: undefined } }],
    ['an extension that must be understood', { header: { crit: ['exp'] } }],
  ])('with %s is refused', async (_, change) => {
    expect(
      await signed(change).then(
        (token) => tokens.verify(token),
        () => undefined,
      ),
    ).toBeUndefined();
  });
});

describe('signing keys', () => {
  it('are made once by any number of nodes that begin at the same time', async () => {
    const nodes = Array.from({ length: 6 }, () => new SigningKeys(postgres.pool, pepper, clock));
    const ids = await Promise.all(nodes.map(async (node) => (await node.signing()).id));
    expect(new Set(ids).size).toBe(1);
  });

  it('are followed by the next after a month, which is published before it signs; tokens stay good', async () => {
    const first = (await keys.signing()).id;
    nowMs += 30 * DAY_MS - HOUR_MS + 1_000;
    expect((await keys.signing()).id).toBe(first);
    expect(await keys.published()).toHaveLength(2);
    const late = await tokens.issue(who);
    nowMs += HOUR_MS;
    const second = (await keys.signing()).id;
    expect(second).not.toBe(first);
    nowMs -= HOUR_MS - 60_000;
    expect(await tokens.verify(late)).toEqual(who);
    expect(
      await new AccessTokens(new SigningKeys(postgres.pool, pepper, clock), ISSUER, clock).verify(late),
    ).toEqual(who);
  });

  it('go when all that they signed has long expired', async () => {
    const ids = [];
    for (let month = 0; month < 4; month++) {
      ids.push((await keys.signing()).id);
      nowMs += 31 * DAY_MS;
      await keys.signing();
      nowMs += 2 * HOUR_MS;
    }
    const published = (await keys.published()).map(({ kid }) => kid);
    expect(published.length).toBeLessThanOrEqual(3);
    expect(published).not.toContain(ids[0]);
  });

  it('are published without their private parts, and stored so that the database alone is of no use', async () => {
    await keys.signing();
    const [jwk] = await keys.published();
    expect(Object.keys(jwk!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const { rows } = await postgres.pool.query('SELECT * FROM people.signing_keys');
    expect(JSON.stringify(rows)).not.toContain('"d"');
    const thief = new SigningKeys(
      postgres.pool,
      new KeyPepper('another pepper of more than 32 characters'),
      clock,
    );
    await expect(thief.signing()).rejects.toThrow('damaged');
  });

  it('that nobody knows are looked for once in a while, however often they are named', async () => {
    await keys.signing();
    nowMs += 10_000;
    const query = jest.spyOn(postgres.pool, 'query');
    for (let n = 0; n < 50; n++) expect(await keys.verifying(`sk${n}`)).toBeUndefined();
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRestore();
  });
});
