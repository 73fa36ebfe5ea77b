// What it costs to tell what an event means: each interpreter alone, on strings that it has not met and on those it
// remembers, and all of them as the projector calls them. Strings are those of real visitors and of bots. --events=N
// sets the size of a turn, --small runs everywhere. Beside the time: how often others' corpora are agreed with
// (--save writes docs/reference/accuracy.md).
import { writeFileSync } from 'node:fs';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { botOf } from '../src/modules/projections/interpret/bots.js';
import { browserOf } from '../src/modules/projections/interpret/browsers.js';
import { deviceOf } from '../src/modules/projections/interpret/devices.js';
import { operatingSystemOf } from '../src/modules/projections/interpret/operating-systems.js';
import { createOriginInterpreter } from '../src/modules/projections/interpret/source.js';
import { createClientInterpreter } from '../src/modules/projections/interpret/user-agent.js';
import { accuracies } from '../test/accuracy/accuracy.js';
import { accuracyText } from '../test/accuracy/accuracy-text.js';
import { botCases, hostCases, visitorCases } from '../test/accuracy/corpora.js';
import { createInterpreter } from '../test/catalog.js';
import { type Fact, median, report } from './measure.js';
import { option } from './option.js';

const ROUNDS = 7;
const EVENTS = option('events', process.argv.includes('--small') ? 20_000 : 200_000);
const MICROSECONDS_MAX = 8;

const visitors = visitorCases();
const bots = botCases();
const hosts = hostCases('search');
const HINTS = { brands: '"Chromium";v="146", "Google Chrome";v="146"', platform: '"Windows"', mobile: '?0' };

/** One in ten is a bot, one in five comes from somewhere else, one in three says hints. */
function eventAt(index: number): TrackedEvent {
  const visitor = visitors[index % visitors.length]!;
  const isBot = index % 10 === 0;
  return {
    id: `0190a7c4-8f1e-7c3a-9d2b-${String(index).padStart(12, '0')}`,
    site: 'site-1',
    name: 'pageview',
    occurredAt: index,
    receivedAt: index,
    visitor: '00a1b2c3d4e5f607',
    url: `https://shop.example/products/${index % 500}${index % 7 === 0 ? '?utm_source=newsletter&gclid' : ''}`,
    ...(index % 5 === 0 && { referrer: `https://${hosts[index % hosts.length]!.input}/` }),
    userAgent: isBot ? bots[index % bots.length]!.input : visitor.userAgent,
    ...(index % 3 === 0 && { clientHints: HINTS }),
    screen: visitor.screen,
    language: 'de-AT',
    place: { country: 'AT' },
  };
}

const events = Array.from({ length: EVENTS }, (_, index) => eventAt(index));

/** Of the processor's time, in microseconds for one event: the median over rounds of equal work, the first thrown away. */
function costOf(name: string, work: (event: TrackedEvent) => unknown, atMost?: number): Fact {
  const costs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    for (const event of events) work(event);
    if (round > 0) costs.push(process.cpuUsage(before).user / events.length);
  }
  return { name, value: median(costs), unit: 'µs', ...(atMost !== undefined && { atMost }) };
}

const agentOf = ({ userAgent = '' }: TrackedEvent): string => userAgent;
const interpret = createInterpreter();
const clientOf = createClientInterpreter();
const originOf = createOriginInterpreter();
const all = accuracies();

report(
  'interpret',
  [],
  [
    costOf('all interpreters, as the projector calls them', interpret, MICROSECONDS_MAX),
    costOf('client, remembered', clientOf),
    costOf('origin, remembered', ({ url, referrer }) => originOf(url, referrer)),
    costOf('browser, anew', (event) => browserOf(agentOf(event))),
    costOf('operating system, anew', (event) => operatingSystemOf(agentOf(event))),
    costOf('device, anew', (event) => deviceOf(agentOf(event))),
    costOf('bot, anew', (event) => botOf(agentOf(event))),
    ...all.map(({ question, cases, misses }) => ({
      name: question,
      value: (100 * (cases - misses.length)) / cases,
      unit: '%',
    })),
  ],
);

if (process.argv.includes('--save')) writeFileSync('docs/reference/accuracy.md', accuracyText(all));
