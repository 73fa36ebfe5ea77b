// The rows of the control plane's tables, and what they must be: by the folds that commands decide upon, over the
// whole event store.
import type { Pool } from 'pg';
import type { EventStore, RecordedEvent } from '../src/event-store/event-store.js';
import type { Fold } from '../src/modules/auth/aggregate.js';
import { auditEntry } from '../src/modules/auth/audit/audit-entry.js';
import { keyFold, keyStream } from '../src/modules/auth/keys/key.aggregate.js';
import {
  type Merchant,
  merchantFold,
  merchantStream,
  presentMerchant,
} from '../src/modules/auth/merchants/merchant.aggregate.js';
import { siteFold, siteStream } from '../src/modules/auth/sites/site.aggregate.js';

const TABLES = {
  merchants: ['merchant'],
  members: ['merchant', 'person'],
  invitations: ['merchant', 'invitation'],
  sites: ['site'],
  keys: ['key'],
  deletions: ['kind', 'subject'],
  audit: ['entry'],
} as const;

type Row = Readonly<Record<string, unknown>>;
export type ControlRows = Readonly<Record<keyof typeof TABLES, readonly Row[]>>;

export async function controlRows(pool: Pool): Promise<ControlRows> {
  const all = Object.keys(TABLES).map(async (table) => [
    table,
    (await pool.query<Row>(`SELECT * FROM control.${table}`)).rows,
  ]);
  return ordered(Object.fromEntries(await Promise.all(all)) as ControlRows);
}

export async function foldedRows(eventStore: EventStore): Promise<ControlRows> {
  const streams = new Map<string, RecordedEvent[]>();
  const events: RecordedEvent[] = [];
  for await (const event of eventStore.readAll(null)) {
    events.push(event);
    streams.set(event.stream, [...(streams.get(event.stream) ?? []), event]);
  }
  const folds = <State>(prefix: string, { initial, evolve }: Fold<State>) =>
    [...streams]
      .filter(([stream]) => stream.startsWith(prefix))
      .map(([, events]) => events.reduce((state, event) => evolve(state, event), initial))
      .filter((state) => typeof state !== 'string') as Exclude<State, string>[];
  const merchants = folds(merchantStream(''), merchantFold)
    .map(presentMerchant)
    .filter((merchant) => merchant !== undefined);
  return ordered({
    merchants: merchants.map(({ id, name, createdAt }) => ({ merchant: id, name, created_at: createdAt })),
    members: merchants.flatMap(memberRows),
    invitations: merchants.flatMap(invitationRows),
    sites: folds(siteStream(''), siteFold).map((site) => {
      const { id, merchant, domain, name, createdAt } = site;
      return { site: id, merchant, domain, name, created_at: createdAt, state: asJson(site) };
    }),
    keys: folds(keyStream(''), keyFold).map((key) => {
      const { id, merchant, site, name, createdAt } = key;
      return { key: id, merchant, site, name, created_at: createdAt, state: asJson(key) };
    }),
    deletions: [...streams.values()].flatMap(deletionRows),
    audit: auditRows(events),
  });
}

/** Of one stream: of the first event by which it was deleted, and the last by which it was erased. */
function deletionRows(events: readonly RecordedEvent[]): readonly Row[] {
  const gone = events.find(({ type }) => type === 'PersonErased');
  if (gone !== undefined) {
    const [subject, at] = [gone.data['person'], gone.recordedAt];
    return [{ kind: 'person', subject, merchant: null, deleted_at: at, erased_at: at, rows: '0' }];
  }
  const at = events.findIndex(({ type }) => type === 'SiteDeleted' || type === 'MerchantDeleted');
  const deleted = events[at];
  if (deleted === undefined) return [];
  const kind = deleted.type === 'SiteDeleted' ? 'site' : 'merchant';
  const erased = events.slice(at).findLast(({ type }) => type === 'DataErased' || type === 'MerchantErased');
  const created = events.find(({ type }) => type === 'SiteCreated');
  const merchant = kind === 'site' ? (created?.data['merchant'] ?? null) : deleted.data['merchant'];
  return [
    {
      ...{ kind, subject: deleted.data[kind], merchant, deleted_at: deleted.recordedAt },
      ...{ erased_at: erased?.recordedAt ?? null, rows: String(erased?.data['rows'] ?? 0) },
    },
  ];
}

const memberRows = ({ id, members }: Merchant): readonly Row[] =>
  [...members.values()].map(({ person, role, joinedAt, invitation = null }) => ({
    ...{ merchant: id, person, role, joined_at: joinedAt, invitation },
  }));

const invitationRows = ({ id: merchant, invitations }: Merchant): readonly Row[] =>
  [...invitations.values()].map(({ id, role, email, sentAt, expiresAt }) => ({
    ...{ merchant, invitation: id, role, email, sent_at: sentAt, expires_at: expiresAt },
  }));

/** With the whole history at hand, and not as it came. */
function auditRows(events: readonly RecordedEvent[]): readonly Row[] {
  const named = (value: unknown) => (typeof value === 'string' ? value : null);
  return events.map((event, index) => {
    const { stream, revision, type, metadata = {}, recordedAt: at } = event;
    const isOwn = /^(key|link)-/.test(stream);
    // Of a stream of one thing: what it said last.
    const said = isOwn ? events.slice(0, index + 1).filter((one) => one.stream === stream) : [event];
    const last = (field: string) => said.findLast(({ data }) => named(data[field]))?.data[field];
    const isOfPerson = /^(person|email|sign-in)-/.test(stream);
    const site = isOfPerson ? null : named(last('site'));
    const creation = events.find(
      (one) => one.type === 'SiteCreated' && site !== null && one.data['site'] === site,
    );
    const merchant = isOfPerson
      ? null
      : (named(event.data['merchant']) ?? named(creation?.data['merchant']) ?? named(last('merchant')));
    const { by, kind, request, country, client } = metadata;
    const from = { request: named(request), country: named(country), client: named(client) };
    const who = { by: named(by), kind: named(kind), ...from };
    const { data } = asJson(auditEntry(event)) as { readonly data: unknown };
    return { entry: String(index + 1), at, ...who, stream, revision, type, merchant, site, data };
  });
}

const asJson = (state: object): unknown => JSON.parse(JSON.stringify(state));

const ordered = (rows: ControlRows): ControlRows =>
  Object.fromEntries(
    Object.entries(TABLES).map(([table, key]) => {
      const nameOf = (row: Row) => key.map((column) => row[column]).join(' ');
      return [table, [...rows[table as keyof ControlRows]].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))];
    }),
  ) as unknown as ControlRows;
