// Commands about people: what they know and have is in the event store sealed, and beside it in rows.
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, stepAt } from '../../../src/modules/auth/people/totp.js';
import { PASSWORD } from '../../e2e/outside-tester.js';
import { tokenIn } from '../../servers/mail-server.js';
import { type Answer, type Asking, check, type Killed } from './asking.js';

const FRESH = 'a fresh horse battery staple';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Somebody who registered before, and is signed in anew by whoever sends: tokens are good for minutes. */
async function person(asking: Asking, mark: string): Promise<string> {
  const email = `${mark}@people.example`;
  await asking.register(email);
  return email;
}

export const PEOPLE: readonly Killed[] = [
  {
    command: 'RegisterPerson',
    appends: 3,
    async prepare(asking, mark) {
      const email = `${mark}@people.example`;
      const send = () => asking.register(email);
      return {
        send,
        async holds() {
          await send();
          const { access_token: key } = await asking.signIn(email);
          const { merchants } = await asking.done('GET /v1/me', { key });
          check('they have one merchant', merchants.length === 1);
        },
      };
    },
  },
  {
    command: 'SignInPerson',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      return {
        send: () => asking.login(email),
        async holds() {
          const { access_token: key } = await asking.signIn(email);
          const { sessions } = await asking.done('GET /v1/me/sessions', { key });
          check('they are signed in once', sessions.length === 1);
        },
      };
    },
  },
  {
    command: 'RefreshSignIn',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      const refresh = (refresh_token: string) =>
        asking.ask('POST /v1/auth/refresh', { key: '', body: { refresh_token } });
      const { refresh_token: used } = await asking.signIn(email);
      const next = (await refresh(used)).body.refresh_token as string;
      return {
        send: () => refresh(used),
        async holds() {
          const statuses = [(await refresh(next)).status, (await refresh(used)).status];
          check('a token that was used twice ends its sign-in', String(statuses) === '401,401');
        },
      };
    },
  },
  {
    command: 'SignOut',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      let signedIn = { access_token: '', refresh_token: '' };
      return {
        before: 1,
        async send() {
          signedIn = await asking.signIn(email);
          await asking.ask('POST /v1/auth/logout', { key: signedIn.access_token, body: {} });
        },
        async holds() {
          const { access_token: key, refresh_token } = signedIn;
          const again = await asking.ask('POST /v1/auth/refresh', { key: '', body: { refresh_token } });
          check('they are signed out', again.status === 401);
          check('their token is refused', (await asking.ask('GET /v1/me', { key })).status === 401);
        },
      };
    },
  },
  {
    command: 'VerifyEmail',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      const token = tokenIn(await asking.mailTo(email));
      const send = () => asking.ask('POST /v1/auth/verify', { key: '', body: { token } });
      return {
        send,
        async holds() {
          await send();
          const { access_token: key } = await asking.signIn(email);
          check('it is verified', (await asking.done('GET /v1/me', { key })).person.emailVerified);
        },
      };
    },
  },
  {
    command: 'RenamePerson',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      const send = async () => {
        const { access_token: key } = await asking.signIn(email);
        await asking.done('PATCH /v1/me', { key, body: { name: 'Renamed' } });
        return asking.done('GET /v1/me', { key });
      };
      return {
        ...{ before: 1, send },
        holds: async () => check('they are renamed', (await send()).person.name === 'Renamed'),
      };
    },
  },
];

const ERASURE: Killed = {
  command: 'ErasePerson',
  appends: 1,
  async prepare(asking, mark) {
    const email = await person(asking, mark);
    const { person: account, merchants } = await asking.done('POST /admin/v1/people/lookup', {
      body: { email },
    });
    // Whoever owns a merchant alone cannot go before it has.
    const [own] = merchants as readonly { id: string }[];
    await asking.done(`DELETE /admin/v1/merchants/${own!.id}`, { body: { confirm: own!.id } });
    const send = () => asking.done(`DELETE /admin/v1/people/${account.id}`);
    return {
      send,
      async holds() {
        await send();
        const { status } = await asking.ask('POST /admin/v1/people/lookup', { body: { email } });
        check('nobody is found by the address', status === 404);
        check('nobody gets in', (await asking.login(email)).status === 401);
        await asking.register(email);
        await asking.signIn(email);
      },
    };
  },
};

export const SECRETS: readonly Killed[] = [
  ERASURE,
  {
    command: 'ChangePassword',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      return {
        before: 1,
        async send() {
          const { access_token: key } = await asking.signIn(email);
          const body = { oldPassword: PASSWORD, newPassword: FRESH };
          await asking.ask('PUT /v1/me/password', { key, body });
        },
        async holds() {
          check('the old one is refused', (await asking.login(email)).status === 401);
          check('the new one is good', (await asking.login(email, { password: FRESH })).status === 200);
        },
      };
    },
  },
  {
    command: 'EnableTotp',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      let secret = '';
      return {
        before: 1,
        async send() {
          const { access_token: key } = await asking.signIn(email);
          secret = await enable(asking, key);
        },
        async holds() {
          check('a code is asked for', (await asking.login(email)).status === 401);
          check('a code of the app is good', (await signInByCode(asking, email, secret)).status === 200);
        },
      };
    },
  },
  {
    command: 'DisableTotp',
    appends: 1,
    async prepare(asking, mark) {
      const email = await person(asking, mark);
      const secret = await enable(asking, (await asking.signIn(email)).access_token);
      return {
        before: 1,
        async send() {
          const { body } = await signInByCode(asking, email, secret);
          const code = await freshCode(secret);
          await asking.ask('POST /v1/me/totp/disable', {
            key: body.access_token,
            body: { password: PASSWORD, code },
          });
        },
        holds: async () => check('no code is asked for', (await asking.login(email)).status === 200),
      };
    },
  },
];

async function enable(asking: Asking, key: string): Promise<string> {
  const enrolled = await asking.done('POST /v1/me/totp', { key, body: { password: PASSWORD } });
  const { secret, enrolment } = enrolled as { secret: string; enrolment: string };
  const code = await freshCode(secret);
  // The product may die of it.
  await asking.ask('POST /v1/me/totp/confirm', { key, body: { enrolment, code } }).catch(() => undefined);
  return secret;
}

const signInByCode = async (asking: Asking, email: string, secret: string): Promise<Answer> =>
  asking.login(email, { totp: await freshCode(secret) });

/** By secret, the step whose code was used last. */
const usedSteps = new Map<string, number>();

/** Each is good once, and so are those of the step before and after. */
async function freshCode(secret: string): Promise<string> {
  const step = Math.max((usedSteps.get(secret) ?? 0) + 1, stepAt(Date.now()) - 1);
  while (step > stepAt(Date.now()) + 1) await sleep(1_000);
  usedSteps.set(secret, step);
  return codeOf(bytesOf(secret), step);
}

const bytesOf = (base32: string): Buffer =>
  Buffer.from(
    [...base32]
      .map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'))
      .join('')
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
