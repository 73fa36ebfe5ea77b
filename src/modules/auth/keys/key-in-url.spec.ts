import { CHANCE } from '../random-ids.js';
import { hasKeyInUrl } from './key-in-url.js';

const key = CHANCE.newApiKey();

it.each([
  `/v1/sites?key=${key}`,
  `/v1/sites?anything=${key}`,
  `/v1/sites?limit=1&access_token=${key}`,
  '/v1/sites?API_KEY=the-operator-s-own-choice-of-a-key',
  `/v1/sites?x=tm%5F${key.slice(3)}`,
])('sees a key in %s', (url) => expect(hasKeyInUrl(url)).toBe(true));

it.each([
  '/v1/sites',
  '/v1/sites?',
  '/v1/sites?limit=1&cursor=czdHazJtUXg5UnRQ',
  `/v1/sites?x=${key.slice(1)}`,
  `/v1/sites/${key}`,
])('sees none in %s', (url) => expect(hasKeyInUrl(url)).toBe(false));
