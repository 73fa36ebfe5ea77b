import { readFileSync } from 'node:fs';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { AUDITED_TYPES, auditEntry } from './audit-entry.js';

const recorded = (event: Partial<RecordedEvent>): RecordedEvent => ({
  stream: 'key-k1',
  revision: 3,
  position: '17',
  type: 'KeyRevoked',
  data: { key: 'k1' },
  recordedAt: new Date(0),
  ...event,
});

describe('an entry of the audit trail', () => {
  it('says who, when, from where, to what and what', () => {
    const metadata = {
      ...{ by: 'k2', kind: 'key', request: 'r1', country: 'AT', client: 'curl' },
      address: '192.0.2.1',
    };
    expect(auditEntry(recorded({ metadata }))).toEqual({
      at: new Date(0),
      ...{ by: 'k2', kind: 'key', request: 'r1', country: 'AT', client: 'curl' },
      stream: 'key-k1',
      revision: 3,
      type: 'KeyRevoked',
      data: { key: 'k1' },
    });
  });

  it('shows neither digests nor fingerprints', () => {
    const digest = 'd'.repeat(64);
    const secrets = [
      { type: 'KeyIssued', data: { key: 'k1', prefix: 'tm_4fQ9', digest } },
      { type: 'OperatorKeyIssued', data: { prefix: 'tm_4fQ9', digest } },
      { type: 'PepperChosen', data: { fingerprint: digest } },
    ];
    const entries = secrets.map((event) => auditEntry(recorded(event)));
    expect(JSON.stringify(entries)).not.toContain(digest);
    expect(entries.map(({ data }) => data)).toEqual([
      { key: 'k1', prefix: 'tm_4fQ9' },
      { prefix: 'tm_4fQ9' },
      {},
    ]);
  });

  it.each(['Unheard', 'constructor', '__proto__'])(
    'shows nothing of an event that it does not know: %s',
    (type) => {
      expect(auditEntry(recorded({ type, data: { secret: 'x' } }))).toMatchObject({ type, data: {} });
    },
  );

  it('names nobody where nobody was named', () => {
    expect(auditEntry(recorded({}))).toMatchObject({ by: null, kind: null, country: null, client: null });
    const metadata = { by: { id: 1 }, kind: 'constructor', request: 7, from: '192.0.2.0/24' };
    const entry = auditEntry(recorded({ metadata }));
    expect(entry).toMatchObject({ by: null, kind: null, request: null });
    expect(JSON.stringify(entry)).not.toContain('192.0.2');
  });
});

it('is documented, every type of it', () => {
  const reference = readFileSync('docs/reference/audit.md', 'utf8');
  expect(AUDITED_TYPES.filter((type) => !reference.includes(`\`${type}\``))).toEqual([]);
});
