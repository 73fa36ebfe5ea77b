import { setTimeout as delay } from 'node:timers/promises';
import { within } from './within.js';

it('gives what comes in time, failures too, and leaves no timer behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  expect(await within(60_000, Promise.resolve('here'))).toBe('here');
  await expect(within(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(timers()).toBe(before);
});

it('gives up what comes late, which goes on and may fail unheard', async () => {
  let ended = false;
  const work = delay(30).then(() => {
    ended = true;
    throw new Error('nobody waits for this');
  });
  expect(await within(5, work)).toBeUndefined();
  expect(ended).toBe(false);
  await delay(40);
  expect(ended).toBe(true);
});
