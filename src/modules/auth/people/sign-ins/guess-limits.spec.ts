import { Telemetry } from '../../../../telemetry/telemetry.js';
import type { AuthTelemetry } from '../../auth.telemetry.js';
import { KeyPepper } from '../../keys/key-pepper.js';
import { RateLimits } from '../../limits/rate-limits.js';
import { RedisStore } from '../../../../redis/redis-store.js';
import { RedisTelemetry } from '../../../../redis/redis.telemetry.js';
import { GuessLimits } from './guess-limits.js';

const MINUTE_MS = 60_000;
let nowMs: number;
let limits: GuessLimits;

beforeEach(() => {
  nowMs = 0;
  const redis = new RedisStore(
    { REDIS_URL: undefined, REDIS_KEY_PREFIX: 't:', REDIS_TIMEOUT_MS: 50 },
    new RedisTelemetry(new Telemetry('silent')),
  );
  limits = new GuessLimits({
    config: { AUTH_GUESSES_PER_ACCOUNT_MAX: 4, AUTH_GUESSES_PER_ADDRESS_MAX: 1_000 },
    limits: new RateLimits(redis, () => nowMs),
    pepper: new KeyPepper('a pepper of more than 32 characters, surely'),
    telemetry: { refused: () => undefined } as unknown as AuthTelemetry,
  });
});

const guess = (emailDigest: string, address: string, isFamiliar = false) =>
  limits.countGuess({ emailDigest, address, isFamiliar: async () => isFamiliar }).then(
    () => 'admitted',
    () => 'refused',
  );

async function attackFromEverywhere(): Promise<readonly string[]> {
  const outcomes = [];
  for (let n = 0; n < 60; n++) outcomes.push(await guess('owner', `198.51.100.${n}`));
  return outcomes;
}

it('admits so many for one account from one address, and again when time has passed', async () => {
  const outcomes = [];
  for (let n = 0; n < 6; n++) outcomes.push(await guess('a', '192.0.2.1'));
  expect(outcomes).toEqual(['admitted', 'admitted', 'admitted', 'admitted', 'refused', 'refused']);
  expect(await guess('b', '192.0.2.1')).toBe('admitted');
  expect(await guess('a', '192.0.2.2')).toBe('admitted');
  nowMs += 3 * MINUTE_MS;
  expect(await guess('a', '192.0.2.1')).toBe('admitted');
});

it('admits five times as many for one account from wherever', async () => {
  const outcomes = await attackFromEverywhere();
  expect(outcomes.filter((outcome) => outcome === 'admitted')).toHaveLength(20);
});

it('does not hold up whoever is signed in from where they ask, whatever others try', async () => {
  await attackFromEverywhere();
  expect(await guess('owner', '192.0.2.1')).toBe('refused');
  expect(await guess('owner', '192.0.2.1', true)).toBe('admitted');
});
