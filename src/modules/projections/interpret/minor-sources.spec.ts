import { sourceOfHost, sourceOfTag } from './known-sources.js';
import { MINOR_SOURCES } from './minor-sources.js';
import { SOURCES } from './named-sources.js';

const hosts = Object.entries(MINOR_SOURCES).flatMap(([kind, list]) =>
  list
    .trim()
    .split(/\s+/)
    .map((host) => ({ kind, host })),
);

it('has every host once, and none that has a name of its own', () => {
  const words = new Set(Object.values(SOURCES).flatMap((known) => Object.values(known).join(' ').split(' ')));
  expect(hosts.filter(({ host }) => words.has(host))).toEqual([]);
  expect(
    hosts.filter(({ host }, index) => hosts.findIndex((other) => other.host === host) !== index),
  ).toEqual([]);
});

it('is what hosts and those below them are known by', () => {
  for (const { kind, host } of hosts) {
    expect(sourceOfHost(host)).toEqual({ name: host, kind });
    expect(sourceOfHost(`m.${host}`)).toEqual({ name: host, kind });
  }
});

it('knows a tag that is a host without its end, unless it is short enough to be any word', () => {
  expect(sourceOfTag('activerain')).toEqual({ name: 'activerain.com', kind: 'social' });
  expect(sourceOfTag('mix')).toBeUndefined();
});
