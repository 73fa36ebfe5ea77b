import { Places } from '../../places/places.js';
import { Whences } from './whences.js';

const whences = new Whences(new Places());
const of = (ip: string, userAgent?: string) =>
  whences.of({ id: 'r1', ip, headers: userAgent === undefined ? {} : { 'user-agent': userAgent } });

it.each(['193.0.6.139', '::ffff:193.0.6.139', '2001:67C:2E8:22::C100:68B'])(
  'tells the country of %s',
  (address) => {
    expect(of(address, 'curl/8.5.0')).toEqual({ request: 'r1', country: 'NL', client: 'curl' });
  },
);

it.each(['127.0.0.1', '::1', 'unknown', ''])('names none for %j', (address) => {
  expect(of(address)).toEqual({ request: 'r1' });
});
