// Commands about merchants, sites and what belongs to them.
import { randomUUID } from 'node:crypto';
import { type Asking, check, type Killed, type Prepared } from './asking.js';

const siteOf = async (asking: Asking, mark: string): Promise<string> =>
  (await asking.done('POST /v1/sites', { body: { domain: `${mark}.example` } })).id;

const KEY = { name: 'k', scopes: ['stats:read'] };

/** Sent with an Idempotency-Key, and again: one thing, listed once. */
async function creates(
  asking: Asking,
  { request, body, list, field }: { request: string; body: object; list: string; field: string },
): Promise<Prepared> {
  const once = randomUUID();
  const before: { id: string }[] = (await asking.done(`GET ${list}`))[field];
  const send = () => asking.done(request, { body, once });
  return {
    send,
    async holds() {
      const [first, second] = [await send(), await send()];
      check('it answers the same again', JSON.stringify(first) === JSON.stringify(second));
      const after: { id: string }[] = (await asking.done(`GET ${list}`))[field];
      const added = after.filter(({ id }) => before.every((one) => one.id !== id));
      const isMine = ({ id }: { id: string }) => id === first.id;
      check('it is there once', added.filter(isMine).length === 1);
      // Others make their own, under other names.
      const name = Object.values(body)[0];
      const sameName = added.filter((one) => Object.values(one).includes(name));
      check('there is no other like it', sameName.length <= 1);
    },
  };
}

export const CONTROL_PLANE: readonly Killed[] = [
  {
    command: 'CreateSite',
    appends: 2,
    prepare: (asking, mark) =>
      creates(asking, {
        ...{ request: 'POST /v1/sites', body: { domain: `${mark}.example` } },
        ...{ list: '/v1/sites?limit=1000', field: 'sites' },
      }),
  },
  {
    command: 'ChangeSite',
    appends: 3,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const send = () =>
        asking.done(`PATCH /v1/sites/${site}`, { body: { domain: `moved-${mark}.example` } });
      return {
        send,
        async holds() {
          await send();
          check(
            'it is found by its domain',
            (await asking.done(`GET /v1/sites/moved-${mark}.example`)).id === site,
          );
          const { status } = await asking.ask(`GET /v1/sites/${mark}.example`);
          check('it is not found by the one before', status === 404);
        },
      };
    },
  },
  {
    command: 'DeleteSite',
    appends: 2,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const send = () => asking.ask(`DELETE /v1/sites/${site}`);
      return {
        send,
        async holds() {
          check('it is gone', [204, 404].includes((await send()).status));
          check('it is not found', (await asking.ask(`GET /v1/sites/${site}`)).status === 404);
          const again = await asking.ask('POST /v1/sites', { body: { domain: `${mark}.example` } });
          check('its domain is free', again.status === 201);
        },
      };
    },
  },
  {
    command: 'IssueKey',
    appends: 1,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const list = `/v1/sites/${site}/keys`;
      return creates(asking, { request: `POST ${list}`, body: KEY, list, field: 'keys' });
    },
  },
  {
    command: 'ChangeKey',
    appends: 1,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const { id } = await asking.done(`POST /v1/sites/${site}/keys`, { body: KEY });
      const send = () => asking.done(`PATCH /v1/sites/${site}/keys/${id}`, { body: { name: 'renamed' } });
      return { send, holds: async () => check('it is renamed', (await send()).name === 'renamed') };
    },
  },
  {
    command: 'RotateKey',
    appends: 2,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const list = `/v1/sites/${site}/keys`;
      const { id } = await asking.done(`POST ${list}`, { body: KEY });
      const request = `POST ${list}/${id}/rotate`;
      const made = await creates(asking, { request, body: { overlapSeconds: 60 }, list, field: 'keys' });
      return {
        ...made,
        async holds() {
          await made.holds();
          const { keys } = await asking.done(`GET ${list}`);
          check('there are two keys', keys.length === 2);
          check(
            'the old one names the new one',
            keys.some((key: { successor: unknown }) => key.successor),
          );
        },
      };
    },
  },
  {
    command: 'RevokeKey',
    appends: 1,
    async prepare(asking, mark) {
      const site = await siteOf(asking, mark);
      const { id, key } = await asking.done(`POST /v1/sites/${site}/keys`, { body: KEY });
      const send = () => asking.ask(`DELETE /v1/sites/${site}/keys/${id}`);
      return {
        send,
        async holds() {
          check('it is gone', [204, 404].includes((await send()).status));
          check('it is refused', (await asking.ask(`GET /v1/sites/${site}`, { key })).status === 401);
        },
      };
    },
  },
  {
    command: 'CreateSharedLink',
    appends: 1,
    async prepare(asking, mark) {
      const list = `/v1/sites/${await siteOf(asking, mark)}/shared-links`;
      return creates(asking, { request: `POST ${list}`, body: { name: mark }, list, field: 'sharedLinks' });
    },
  },
  {
    command: 'ChangeSharedLink',
    appends: 1,
    async prepare(asking, mark) {
      const list = `/v1/sites/${await siteOf(asking, mark)}/shared-links`;
      const { id, token } = await asking.done(`POST ${list}`, { body: { name: mark } });
      const send = () => asking.ask(`DELETE ${list}/${id}`);
      return {
        send,
        async holds() {
          check('it is gone', [204, 404].includes((await send()).status));
          check(
            'it opens nothing',
            (await asking.ask(`GET /v1/shared/${token}`, { key: '' })).status === 404,
          );
        },
      };
    },
  },
  {
    command: 'ChangeQuota',
    appends: 1,
    async prepare(asking, mark) {
      const { id } = await asking.done('POST /admin/v1/merchants', { body: { name: mark } });
      const send = () => asking.done(`PUT /admin/v1/merchants/${id}/quota`, { body: { eventsPerMonth: 7 } });
      return { send, holds: async () => check('it is set', (await send()).eventsPerMonth === 7) };
    },
  },
  {
    command: 'DeleteMerchant',
    appends: 1,
    async prepare(asking, mark) {
      const { id } = await asking.done('POST /admin/v1/merchants', { body: { name: mark } });
      const send = () => asking.done(`DELETE /admin/v1/merchants/${id}`, { body: { confirm: mark } });
      return {
        send,
        async holds() {
          await send();
          const { merchants } = await asking.done(`GET /admin/v1/merchants?search=${mark}`);
          check('it is there no more', merchants.length === 0);
        },
      };
    },
  },
  {
    command: 'RegisterMerchant',
    appends: 1,
    prepare: (asking, mark) =>
      creates(asking, {
        ...{ request: 'POST /admin/v1/merchants', body: { name: mark } },
        ...{ list: `/admin/v1/merchants?search=${mark}`, field: 'merchants' },
      }),
  },
  {
    command: 'ChangeMerchant',
    appends: 1,
    async prepare(asking, mark) {
      const { id } = await asking.done('POST /admin/v1/merchants', { body: { name: mark } });
      const list = `/v1/merchant/invitations?merchant=${id}`;
      const body = { email: `${mark}@people.example`, role: 'viewer' };
      return creates(asking, { request: `POST ${list}`, body, list, field: 'invitations' });
    },
  },
  {
    command: 'ChangeDefinitions',
    appends: 1,
    async prepare(asking, mark) {
      const list = `/v1/sites/${await siteOf(asking, mark)}/goals`;
      const body = { name: mark, eventName: 'Signup' };
      return creates(asking, { request: `POST ${list}`, body, list, field: 'goals' });
    },
  },
  {
    command: 'RequestRebuild',
    appends: 1,
    prepare: (asking) =>
      creates(asking, {
        ...{ request: 'POST /admin/v1/projections/sessions/rebuilds', body: {} },
        ...{ list: '/admin/v1/rebuilds', field: 'rebuilds' },
      }),
  },
  {
    command: 'ControlRebuild',
    appends: 1,
    /** The one that was requested before; there is one at a time. */
    async prepare(asking) {
      const rebuilds = async (): Promise<{ id: string; state: string }[]> =>
        (await asking.done('GET /admin/v1/rebuilds')).rebuilds;
      return {
        send: async () => asking.ask(`POST /admin/v1/rebuilds/${(await rebuilds())[0]!.id}/cancel`),
        async holds() {
          const [rebuild] = await rebuilds();
          await asking.ask(`POST /admin/v1/rebuilds/${rebuild!.id}/cancel`);
          check('it is cancelled', (await rebuilds())[0]!.state === 'cancelled');
        },
      };
    },
  },
];
