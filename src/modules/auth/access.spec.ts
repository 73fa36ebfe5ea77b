import type { KeyScope } from '../../events/key.events.js';
import { Problem } from '../../http/problem.js';
import type { Role } from '../../events/merchant.events.js';
import {
  bearerKey,
  hasScope,
  type Caller,
  memberCaller,
  type Permission,
  personOf,
  reaches,
  requireReach,
  requireScope,
} from './access.js';
import type { Site } from './sites/site.aggregate.js';

const caller = (scopes: readonly KeyScope[], reach: Partial<Caller> = {}): Caller => ({
  id: 'k',
  merchant: 'm1',
  site: null,
  scopes: new Set(scopes),
  ...reach,
});
const operator = caller(['operator'], { merchant: null });
const site = (id: string, merchant: string) => ({ id, merchant }) as Site;
const SCOPES: readonly KeyScope[] = ['ingest', 'ingest:server', 'stats:read', 'sites:admin', 'operator'];
const ALL: readonly Permission[] = [...SCOPES, 'definitions:write', 'members:admin', 'merchant:own'];

function problemOf(attempt: () => unknown): Problem['options'] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Problem) return error.options;
  }
  throw new Error('No problem was thrown.');
}

describe('the bearer key', () => {
  it.each([
    ['Bearer tm_abc', 'tm_abc'],
    ['bearer tm_abc', 'tm_abc'],
    ['Bearer   tm_abc ', 'tm_abc'],
  ])('of %j is %s', (authorization, key) => {
    expect(bearerKey({ authorization })).toBe(key);
  });

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic dTpw', 'tm_abc', 'Bearer a b', 'Bearer schlüssel'])(
    'of %j is none',
    (authorization) => {
      expect(bearerKey({ authorization })).toBeUndefined();
    },
  );
});

describe('scopes', () => {
  it('are what the key has, and nothing else, but for those that imply more', () => {
    const implied: Partial<Record<KeyScope, readonly Permission[]>> = {
      'sites:admin': ['sites:admin', 'definitions:write', 'members:admin'],
      'ingest:server': ['ingest', 'ingest:server'],
      operator: ALL,
    };
    for (const own of SCOPES) {
      expect(ALL.filter((scope) => hasScope(caller([own]), scope))).toEqual(implied[own] ?? [own]);
    }
    expect(hasScope(caller([]), 'ingest')).toBe(false);
    expect(hasScope(caller(['sites:admin'], { site: 's1' }), 'members:admin')).toBe(false);
    expect(hasScope(caller(['sites:admin'], { site: 's1' }), 'definitions:write')).toBe(true);
  });

  it('that are missing are answered 403, one of several being enough', () => {
    const reader = caller(['stats:read']);
    expect(() => requireScope(reader, 'sites:admin', 'stats:read')).not.toThrow();
    expect(problemOf(() => requireScope(reader, 'sites:admin'))).toMatchObject({
      status: 403,
      detail: 'This needs a key with the scope sites:admin.',
    });
    expect(problemOf(() => requireScope(operator)).status).toBe(403);
  });
});

describe('a member', () => {
  it.each<[Role, readonly Permission[]]>([
    ['viewer', ['stats:read']],
    ['editor', ['stats:read', 'definitions:write']],
    ['admin', ['stats:read', 'sites:admin', 'definitions:write', 'members:admin']],
    ['owner', ['stats:read', 'sites:admin', 'definitions:write', 'members:admin', 'merchant:own']],
  ])('who is %s may %j', (role, may) => {
    const member = memberCaller('p1', 'm1', role);
    expect(ALL.filter((scope) => hasScope(member, scope))).toEqual(may);
    expect([member.merchant, member.site]).toEqual(['m1', null]);
  });

  it('is told from a key', () => {
    expect(personOf(memberCaller('p1', 'm1', 'viewer'))).toBe('p1');
    expect(personOf({ id: 'kperson' })).toBeUndefined();
  });
});

describe('reach', () => {
  it('of the operator is every site', () => {
    expect(reaches(operator, site('s1', 'anybody'))).toBe(true);
  });

  it("of a merchant's key is the merchant's sites", () => {
    expect(reaches(caller([]), site('s1', 'm1'))).toBe(true);
    expect(reaches(caller([]), site('s1', 'm2'))).toBe(false);
  });

  it("of a site's key is that site, as long as it is the merchant's", () => {
    const ofSite = caller([], { site: 's1' });
    expect(reaches(ofSite, site('s1', 'm1'))).toBe(true);
    expect(reaches(ofSite, site('s2', 'm1'))).toBe(false);
    expect(reaches(ofSite, site('s1', 'm2'))).toBe(false);
  });

  it("ends in the same 404 at another's site and at none", () => {
    const foreign = problemOf(() => requireReach(caller(SCOPES.slice(0, 4)), site('s1', 'm2')));
    expect(foreign.status).toBe(404);
    expect(foreign).toEqual(problemOf(() => requireReach(caller(SCOPES.slice(0, 4)), undefined)));
    expect(problemOf(() => requireReach(operator, undefined))).toEqual(foreign);
  });
});
