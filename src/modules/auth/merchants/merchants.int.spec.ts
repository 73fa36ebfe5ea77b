// Merchants, members and invitations over HTTP, on a real PostgreSQL.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { Members } from '../../../../test/servers/members.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import type { PersonEvent } from '../../../events/person.events.js';
import { Mailer } from '../people/mail/mailer.js';
import { Sealer } from '../people/sealing.js';
import { merchantStream } from './merchant.aggregate.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;
let members: Members;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool);
  members = new Members(plane);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

let people = 0;
const freshPerson = async () => {
  const person = `p${++people}`;
  return { person, merchant: await members.register(person) };
};
/** A merchant with one member of each role. */
const company = async () => {
  const { person: owner, merchant } = await freshPerson();
  const of: Record<string, readonly [string, string]> = { owner: [owner, merchant] };
  for (const role of ['admin', 'editor', 'viewer']) {
    const { person } = await freshPerson();
    await members.join(person, merchant, role);
    of[role] = [person, merchant];
  }
  return { merchant, of: of as Record<'owner' | 'admin' | 'editor' | 'viewer', readonly [string, string]> };
};
const keyOf = async (merchant: string, scopes: readonly string[]) =>
  (await plane.call('POST', '/v1/keys', { body: { name: 'k', scopes, merchant } })).body.key as string;

describe('a merchant', () => {
  it('is created by the operator, found by them, and renamed', async () => {
    const made = await plane.call('POST', '/admin/v1/merchants', { body: { name: 'Žluťoučké obchody' } });
    expect(made).toMatchObject({
      status: 201,
      body: { id: expect.stringMatching(/^m\w{11}$/), name: 'Žluťoučké obchody' },
    });
    const { id } = made.body;
    const read = await plane.call('GET', `/v1/merchant?merchant=${id}`);
    expect([read.body, read.headers.etag]).toEqual([made.body, '"0"']);
    expect((await plane.call('GET', `/admin/v1/merchants/${id}`)).body).toEqual(made.body);
    const body = { name: 'Obchody' };
    const renamed = await plane.call('PATCH', `/v1/merchant?merchant=${id}`, { body });
    expect([renamed.body, renamed.headers.etag]).toEqual([{ ...made.body, ...body }, '"1"']);
    for (const search of ['obCHOdy', id]) {
      const found = await plane.call('GET', `/admin/v1/merchants?search=${search}`);
      expect(found.body.merchants).toEqual([{ ...renamed.body, members: 0, sites: 0 }]);
    }
    expect((await plane.call('GET', '/admin/v1/merchants?search=Ž')).body.merchants).toEqual([]);
    expect((await plane.call('GET', '/admin/v1/merchants/mNobody')).status).toBe(404);
    expect((await plane.call('GET', '/v1/merchant?merchant=mNobody')).status).toBe(404);
  });

  it('is listed with all others, page by page', async () => {
    for (let n = 0; n < 3; n++) {
      await plane.call('POST', '/admin/v1/merchants', { body: { name: `Listed ${n}` } });
    }
    const whole = (await plane.call('GET', '/admin/v1/merchants?limit=1000')).body.merchants;
    expect(whole.length).toBeGreaterThan(3);
    const ids: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await plane.call('GET', `/admin/v1/merchants?limit=2${cursor}`);
      ids.push(...body.merchants.map(({ id }: { id: string }) => id));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(ids).toEqual(whole.map(({ id }: { id: string }) => id));
  });

  it("is the caller's own, and nobody but the operator names another", async () => {
    const { merchant, of } = await company();
    const other = await company();
    expect((await members.call(of.viewer, ['GET', '/v1/merchant'])).body.id).toBe(merchant);
    for (const named of [other.merchant, merchant, 'mNobody']) {
      const path = `/v1/merchant?merchant=${named}`;
      expect((await members.call(of.owner, ['GET', path])).status).toBe(403);
    }
    expect((await members.call(of.owner, ['GET', '/admin/v1/merchants'])).status).toBe(403);
    expect((await members.call(of.owner, ['GET', '/v1/merchant/members'])).body.members).toHaveLength(4);
    const stranger = other.of.viewer[0];
    const path = `/v1/merchant/members/${stranger}`;
    const foreign = await members.call(of.owner, ['DELETE', path]);
    const absent = await members.call(of.owner, ['DELETE', '/v1/merchant/members/pNobody']);
    expect([foreign.status, foreign.body]).toEqual([404, absent.body]);
  });

  it('has sites and keys that the operator makes for it, and only the operator', async () => {
    const { merchant, of } = await company();
    const body = { domain: `${merchant.toLowerCase()}.example`, merchant };
    const site = await plane.call('POST', '/v1/sites', { body });
    expect(site.status).toBe(201);
    expect((await members.call(of.viewer, ['GET', '/v1/sites'])).body.sites).toEqual([site.body]);
    const counted = (await plane.call('GET', `/admin/v1/merchants?search=${merchant}`)).body.merchants;
    expect(counted).toEqual([expect.objectContaining({ id: merchant, members: 4, sites: 1 })]);
    const key = await keyOf(merchant, ['stats:read']);
    expect((await plane.call('GET', '/v1/sites', { key })).body.sites).toEqual([site.body]);
    const refused = [
      ['/v1/sites', { domain: 'another.example', merchant }],
      ['/v1/keys', { name: 'k', scopes: ['stats:read'], merchant }],
    ] as const;
    for (const [path, own] of refused) {
      expect((await members.call(of.owner, ['POST', path], { body: own })).status).toBe(403);
      const nobodys = await plane.call('POST', path, { body: { ...own, merchant: 'mNobody' } });
      expect([nobodys.status, nobodys.body.errors[0].path]).toEqual([400, 'merchant']);
    }
  });
});

describe('a role', () => {
  it('gives what it says, on sites, definitions and members, and nothing above', async () => {
    const { merchant, of } = await company();
    const { id } = (
      await plane.call('POST', '/v1/sites', { body: { domain: `${merchant}-roles.example`, merchant } })
    ).body;
    const statuses = async (who: readonly [string, string]) => [
      (await members.call(who, ['GET', `/v1/sites/${id}`])).status,
      (await members.call(who, ['PATCH', `/v1/sites/${id}`], { body: { name: 'New' } })).status,
      (await members.call(who, ['GET', '/v1/merchant/members'])).status,
      (await members.call(who, ['PATCH', '/v1/merchant'], { body: { name: 'New' } })).status,
    ];
    expect(await statuses(of.viewer)).toEqual([200, 403, 403, 403]);
    expect(await statuses(of.editor)).toEqual([200, 403, 403, 403]);
    expect(await statuses(of.admin)).toEqual([200, 200, 200, 200]);
    expect(await statuses(of.owner)).toEqual([200, 200, 200, 200]);
  });

  it('counts from the next request on when it is changed, and not at all once it is taken', async () => {
    const { of } = await company();
    const path = `/v1/merchant/members/${of.viewer[0]}`;
    const sees = async () => (await members.call(of.viewer, ['GET', '/v1/merchant/members'])).status;
    expect(await sees()).toBe(403);
    const promoted = await members.call(of.admin, ['PATCH', path], { body: { role: 'admin' } });
    expect(promoted).toMatchObject({ status: 200, body: { person: of.viewer[0], role: 'admin' } });
    expect(await sees()).toBe(200);
    expect((await members.call(of.viewer, ['DELETE', path])).status).toBe(204);
    expect(await sees()).toBe(403);
    const { body } = await members.call(of.owner, ['GET', '/v1/merchant/members']);
    expect(body.members.map(({ person }: { person: string }) => person)).not.toContain(of.viewer[0]);
  });

  it('is listed with name and address of who has it, until those are erased', async () => {
    const { of } = await company();
    const [person] = of.editor;
    const [sealer, subject] = [plane.app.get(Sealer), `person-${person}`];
    const event: PersonEvent = {
      type: 'PersonRegistered',
      data: {
        ...{ person, emailDigest: 'd', password: null },
        email: await sealer.seal(subject, 'ed@shop.example'),
        name: await sealer.seal(subject, 'Ed'),
      },
    };
    await plane.app.get(EventStore).append(subject, [event], 'none');
    const shown = async () => {
      const { body } = await members.call(of.admin, ['GET', '/v1/merchant/members']);
      return body.members.find((member: { person: string }) => member.person === person);
    };
    expect(await shown()).toMatchObject({ role: 'editor', email: 'ed@shop.example', name: 'Ed' });
    await sealer.destroy(subject);
    expect(await shown()).toMatchObject({ role: 'editor', email: null, name: null });
  });

  it('of owners is for owners, and the last one stays', async () => {
    const { of } = await company();
    const [owner, admin] = [of.owner, of.admin].map(([person]) => `/v1/merchant/members/${person}`) as [
      string,
      string,
    ];
    const make = (who: readonly [string, string], path: string, role: string) =>
      members.call(who, ['PATCH', path], { body: { role } });
    expect((await make(of.admin, admin, 'owner')).status).toBe(403);
    expect((await make(of.admin, owner, 'viewer')).status).toBe(403);
    expect((await members.call(of.admin, ['DELETE', owner])).status).toBe(403);
    expect((await make(of.owner, owner, 'viewer')).status).toBe(409);
    expect((await members.call(of.owner, ['DELETE', owner])).status).toBe(409);
    expect((await make(of.owner, admin, 'owner')).status).toBe(200);
    expect((await make(of.owner, owner, 'viewer')).status).toBe(200);
    expect((await make(of.owner, admin, 'viewer')).status).toBe(403);
  });

  it('of both owners is not lost when they demote each other at once', async () => {
    const { merchant, of } = await company();
    await members.call(of.owner, ['PATCH', `/v1/merchant/members/${of.admin[0]}`], {
      body: { role: 'owner' },
    });
    const answers = await Promise.all(
      [of.owner, of.admin].map(([person], _, [one]) =>
        members.call(person === one![0] ? of.admin : of.owner, ['PATCH', `/v1/merchant/members/${person}`], {
          body: { role: 'viewer' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 403]);
    const { body } = await plane.call('GET', `/v1/merchant/members?merchant=${merchant}`);
    expect(body.members.filter(({ role }: { role: string }) => role === 'owner')).toHaveLength(1);
  });
});

describe('keys', () => {
  it('for a whole merchant with sites:admin manage members below owner', async () => {
    const { merchant, of } = await company();
    const key = await keyOf(merchant, ['sites:admin']);
    expect((await plane.call('GET', '/v1/merchant/members', { key })).body.members).toHaveLength(4);
    const body = { email: 'keyed@people.example', role: 'admin' };
    expect((await plane.call('POST', '/v1/merchant/invitations', { key, body })).status).toBe(201);
    const ofOwner = { email: 'owner@people.example', role: 'owner' };
    expect((await plane.call('POST', '/v1/merchant/invitations', { key, body: ofOwner })).status).toBe(403);
    const path = `/v1/merchant/members/${of.owner[0]}`;
    expect((await plane.call('DELETE', path, { key })).status).toBe(403);
    const editor = `/v1/merchant/members/${of.editor[0]}`;
    expect((await plane.call('DELETE', editor, { key })).status).toBe(204);
  });

  it('of one site, or without that scope, do not', async () => {
    const { merchant } = await company();
    const { id } = (
      await plane.call('POST', '/v1/sites', { body: { domain: `${merchant}-bound.example`, merchant } })
    ).body;
    const issued = { name: 'k', scopes: ['sites:admin', 'stats:read'] };
    const bound = (await plane.call('POST', `/v1/sites/${id}/keys`, { body: issued })).body.key;
    const reader = await keyOf(merchant, ['stats:read']);
    for (const key of [bound, reader]) {
      const body = { email: 'bound@people.example', role: 'viewer' };
      for (const answer of [
        await plane.call('GET', '/v1/merchant/members', { key }),
        await plane.call('GET', '/v1/merchant/invitations', { key }),
        await plane.call('POST', '/v1/merchant/invitations', { key, body }),
        await plane.call('DELETE', '/v1/merchant/members/pNobody', { key }),
        await plane.call('PATCH', '/v1/merchant', { key, body: { name: 'New' } }),
      ]) {
        expect(answer.status).toBe(403);
      }
    }
  });
});

describe('an invitation', () => {
  let email: string;
  beforeEach(() => {
    email = `anna${++people}@people.example`;
  });
  const invite = (who: readonly [string, string], body: object = { email, role: 'editor' }) =>
    members.call(who, ['POST', '/v1/merchant/invitations'], { body });
  const accept = ({ person, merchant }: { person: string; merchant: string }, token: string) =>
    members.call([person, merchant], ['POST', '/v1/invitations/accept'], { body: { token } });

  it('is mailed, makes a member of whoever got the mail, once, and is shown to nobody else', async () => {
    const { merchant, of } = await company();
    const sent = await invite(of.admin);
    expect(sent).toMatchObject({
      status: 201,
      body: { id: expect.stringMatching(/^i\w{11}$/), email, role: 'editor' },
    });
    const token = members.tokenFor(email);
    expect(JSON.stringify(sent.body)).not.toContain(token.split('.')[2]);
    const listed = await members.call(of.admin, ['GET', '/v1/merchant/invitations']);
    expect(listed.body).toEqual({ invitations: [sent.body], next_cursor: null });
    expect((await members.call(of.editor, ['GET', '/v1/merchant/invitations'])).status).toBe(403);

    const anna = await freshPerson();
    const other = await freshPerson();
    expect((await accept(anna, `${token.slice(0, -1)}_`)).status).toBe(404);
    const joined = await accept(anna, token);
    expect(joined).toMatchObject({ status: 200, body: { merchant: { id: merchant }, role: 'editor' } });
    expect((await accept(anna, token)).body).toEqual(joined.body);
    expect((await accept(other, token)).status).toBe(404);
    expect((await members.call([anna.person, merchant], ['GET', '/v1/merchant'])).status).toBe(200);
    const shown = await members.call(of.admin, ['GET', '/v1/merchant/invitations']);
    expect(shown.body.invitations).toEqual([]);
  });

  it('leaves its address nowhere in the clear, and erased once it is used or withdrawn', async () => {
    const { of } = await company();
    const address = 'Secret.Person@people.example';
    const { id } = (await invite(of.owner, { email: address, role: 'viewer' })).body;
    const { rows } = await postgres.pool.query(
      `SELECT events::text AS text FROM event_store.events
       UNION ALL SELECT invitations::text FROM control.invitations`,
    );
    expect(rows.some(({ text }) => text.includes(id))).toBe(true);
    expect(rows.some(({ text }) => /secret\.person/i.test(text))).toBe(false);
    const keys = async () =>
      (await postgres.pool.query('SELECT FROM people.data_keys WHERE subject = $1', [`invitation-${id}`]))
        .rowCount;
    expect(await keys()).toBe(1);
    expect((await members.call(of.owner, ['DELETE', `/v1/merchant/invitations/${id}`])).status).toBe(204);
    expect(await keys()).toBe(0);
  });

  it('is one for each address of a merchant, whatever its case', async () => {
    const [one, another] = [await company(), await company()];
    const { id } = (await invite(one.of.owner)).body;
    expect((await invite(one.of.owner, { email: email.toUpperCase(), role: 'viewer' })).status).toBe(409);
    expect((await invite(another.of.owner)).status).toBe(201);
    const path = `/v1/merchant/invitations/${id}`;
    expect((await members.call(another.of.owner, ['DELETE', path])).status).toBe(404);
    const withdrawn = members.tokenFor(email);
    expect((await members.call(one.of.owner, ['DELETE', path])).status).toBe(204);
    expect((await members.call(one.of.owner, ['DELETE', path])).status).toBe(404);
    expect((await invite(one.of.owner)).status).toBe(201);
    expect(members.tokenFor(email)).not.toBe(withdrawn);
  });

  it('is refused when it was withdrawn, or has expired, with the same answer as one that never was', async () => {
    const { merchant, of } = await company();
    const anna = await freshPerson();
    const { id } = (await invite(of.owner)).body;
    const token = members.tokenFor(email);
    await members.call(of.owner, ['DELETE', `/v1/merchant/invitations/${id}`]);
    const refused = await accept(anna, token);
    expect(refused.status).toBe(404);
    for (const none of ['iNone.mNone.x', `iNone.${merchant}.x`]) {
      expect((await accept(anna, none)).body).toEqual(refused.body);
    }
    await invite(of.owner);
    await postgres.pool.query(
      `UPDATE event_store.events SET data = data || '{"expiresAt":"2026-01-01T00:00:00.000Z"}'
       WHERE stream = $1 AND type = 'InvitationSent'`,
      [merchantStream(merchant)],
    );
    expect((await accept(anna, members.tokenFor(email))).body).toEqual(refused.body);
  });

  it('is accepted by people, not by keys', async () => {
    const { of, merchant } = await company();
    await invite(of.owner);
    const body = { token: members.tokenFor(email) };
    for (const key of [undefined, await keyOf(merchant, ['stats:read'])]) {
      const answer = await plane.call('POST', '/v1/invitations/accept', { body, ...(key && { key }) });
      expect(answer.status).toBe(403);
    }
  });

  it('leads to the page that accepts it, and is mailed to one address so often and no more', async () => {
    const statuses = [];
    for (let n = 0; n < 7; n++) {
      const { of } = await company();
      statuses.push((await invite(of.owner)).status);
    }
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429, 429]);
    const mails = members.mails.filter(({ to }) => to === email);
    expect(mails).toHaveLength(5);
    const token = members.tokenFor(email).replaceAll('.', String.raw`\.`);
    const link = new RegExp(String.raw`^http://localhost:3000/account#invitation=${token}$`, 'm');
    expect(mails.at(-1)!.text).toMatch(link);
  });

  it('is withdrawn at once when its mail cannot be sent', async () => {
    const { of } = await company();
    const broken = jest
      .spyOn(plane.app.get<Mailer>(Mailer), 'send')
      .mockRejectedValueOnce(new Error('no route to host'));
    const answer = await invite(of.owner);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
    broken.mockRestore();
    expect((await invite(of.owner)).status).toBe(201);
  });

  it.each([
    [{}, ['email', 'role']],
    [{ email: 'anna', role: 'viewer' }, ['email']],
    [{ email: 'a@b.example\nBcc: all@people.example', role: 'viewer' }, ['email']],
    [{ email: 5, role: 'viewer' }, ['email']],
    [{ email: 'a@b.example', role: 'king' }, ['role']],
    [{ email: 'a@b.example', role: ['viewer'] }, ['role']],
    [{ email: 'a@b.example', role: 'viewer', person: 'p1' }, ['person']],
  ])('with %j is refused, naming what is wrong', async (body, paths) => {
    const answer = await plane.call('POST', '/v1/merchant/invitations', { body });
    const named = answer.body.errors.map(({ path }: { path: string }) => path);
    expect([answer.status, [...new Set<string>(named)].sort()]).toEqual([400, paths]);
  });
});

describe('at once', () => {
  it('one of many who have seen the same revision wins, and the others are told the present one', async () => {
    const { of } = await company();
    const { etag } = (await members.call(of.owner, ['GET', '/v1/merchant'])).headers as { etag: string };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        members.call(of.owner, ['PATCH', '/v1/merchant'], {
          body: { name: `Name ${n}` },
          headers: { 'if-match': etag },
        }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const lost = answers.filter(({ status }) => status === 409);
    expect(lost).toHaveLength(9);
    for (const { headers } of lost) expect(headers.etag).toBe(won[0]!.headers.etag);
    expect((await members.call(of.owner, ['GET', '/v1/merchant'])).body).toEqual(won[0]!.body);
  });

  it('those who do not name a revision all have their way', async () => {
    const { merchant, of } = await company();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        members.call(of.owner, ['POST', '/v1/merchant/invitations'], {
          body: { email: `n${n}@people.example`, role: 'viewer' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    const ids = answers.map(({ body }) => body.id as string).sort();
    const listed = await plane.call('GET', `/v1/merchant/invitations?merchant=${merchant}&limit=5`);
    expect(listed.body.invitations.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 5));
    const rest = await plane.call(
      'GET',
      `/v1/merchant/invitations?merchant=${merchant}&cursor=${listed.body.next_cursor}`,
    );
    expect(rest.body.invitations.map(({ id }: { id: string }) => id)).toEqual(ids.slice(5));
  });

  it('one of two who accept the same invitation becomes a member', async () => {
    const { merchant, of } = await company();
    await members.call(of.owner, ['POST', '/v1/merchant/invitations'], {
      body: { email: 'race@people.example', role: 'viewer' },
    });
    const body = { token: members.tokenFor('race@people.example') };
    const both = [await freshPerson(), await freshPerson()];
    const answers = await Promise.all(
      both.map(({ person, merchant: own }) =>
        members.call([person, own], ['POST', '/v1/invitations/accept'], { body }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 404]);
    const joined: string[] = [];
    for await (const { type, data } of plane.app.get(EventStore).readStream(merchantStream(merchant))) {
      if (type === 'MemberJoined') joined.push(data.person as string);
    }
    expect(joined).toHaveLength(5);
  });
});

it.each([
  'GET /v1/merchant/members?cursor=!',
  `GET /v1/merchant/members?cursor=${Buffer.from('\0').toString('base64url')}`,
  'GET /v1/merchant/members?limit=1001',
  'GET /v1/merchant/members?merchant=%00',
  `GET /v1/merchant/members?merchant=${'m'.repeat(65)}`,
  'GET /v1/merchant/invitations?cursor=!',
  'GET /admin/v1/merchants?cursor=!',
  'GET /admin/v1/merchants?search=%00',
])('%s is refused', async (request) => {
  const [method, path] = request.split(' ') as ['GET', string];
  const answer = await plane.call(method, path);
  expect([answer.status, answer.body.errors.length]).toEqual([400, 1]);
});

it('answers 404 to ids that can be none', async () => {
  for (const id of ['%00', 'x'.repeat(80), '%F0%9F%98%80', '__proto__']) {
    expect((await plane.call('DELETE', `/v1/merchant/members/${id}`)).status).toBe(404);
    expect((await plane.call('GET', `/admin/v1/merchants/${id}`)).status).toBe(404);
    expect((await plane.call('DELETE', `/v1/merchant/invitations/${id}`)).status).toBe(404);
  }
});
