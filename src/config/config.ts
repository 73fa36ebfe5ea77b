// Every setting Tidemark knows: name, meaning, default and check stand side by side, and the
// boot check, `.env.example`, `bin/tidemark config` and docs/reference/config.md are made from
// this list. The only file that reads the environment.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ACCOUNT_SETTINGS } from './account-settings.js';
import { failpointCheck } from './failpoints.js';
import {
  archiveUrl,
  brokers,
  eventStoreDbUrl,
  postgresUrl,
  redisUrl,
  trustProxy,
  wholeNumber,
} from './checks.js';
import { QUOTA_SETTINGS } from './quota-settings.js';
import { secret, setting } from './setting.js';

export const ROLES = ['ingest', 'projector', 'api'] as const;
export type Role = (typeof ROLES)[number];

/** The most a tracking log may have, and so the most over which a site may be spread. */
export const PARTITIONS_MAX = 1_024;

const roles = z.string().transform((text, context): readonly Role[] => {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('all')) return ROLES;
  for (const name of names) {
    if (!(ROLES as readonly string[]).includes(name)) {
      context.addIssue({
        code: 'custom',
        message: `"${name}" is not a role: use all, or a comma list of ${ROLES.join(', ')}`,
      });
    }
  }
  return ROLES.filter((role) => names.includes(role));
});

export const SETTINGS = {
  ROLE: setting(
    'What this process does: ingest, projector, api, a comma list of them, or all.',
    roles.prefault('all'),
  ),
  PORT: setting('TCP port for HTTP.', wholeNumber(0, 65_535).prefault('3000')),
  HOST: setting('Address HTTP listens on.', z.string().min(1).prefault('127.0.0.1')),
  DATA_DIR: setting(
    'Directory of the embedded log, the embedded Postgres and generated secrets.',
    z
      .string()
      .min(1)
      .prefault('./data')
      .transform((path) => resolve(path)),
  ),
  DATABASE_URL: secret(
    'PostgreSQL 15 or newer; what its user needs: docs/reference/postgresql.md. Absent: a PostgreSQL under DATA_DIR is run.',
    postgresUrl.optional(),
  ),
  REDIS_URL: secret(
    'Redis 6.2 or newer, by which nodes share cached answers, rate limits and the daily salt; rediss:// for TLS. Absent: each process for itself, the salt in PostgreSQL.',
    redisUrl.optional(),
  ),
  REDIS_KEY_PREFIX: setting(
    'What the name of every key in Redis begins with: one per installation that shares a Redis.',
    z
      .string()
      .regex(/^[^{}\s]{0,64}$/, 'must have at most 64 characters, no braces and no white space')
      .prefault('tidemark:'),
  ),
  REDIS_TIMEOUT_MS: setting(
    'How long Redis may take to answer before a request goes on without it.',
    wholeNumber(5, 1_000).prefault('50'),
  ),
  TRACKING_LOG: setting(
    'Driver of the tracking log. Absent: kafka if KAFKA_BROKERS is given, else eventstoredb if EVENTSTORE_URL is given, else embedded.',
    z.enum(['embedded', 'kafka', 'eventstoredb']).optional(),
  ),
  TRACKING_LOG_PARTITIONS: setting(
    'Partitions of the tracking log. Fixed once the log exists.',
    wholeNumber(1, PARTITIONS_MAX).prefault('4'),
  ),
  TRACKING_LOG_BYTES_MAX: setting(
    'Size at which the embedded log refuses appends (503) instead of growing.',
    wholeNumber(1_048_576, 1_099_511_627_776).prefault('68719476736'),
  ),
  SPOOL_BYTES_MAX: setting(
    'Size of the spool under DATA_DIR, where events wait on disk while Kafka or EventStoreDB is away, before intake answers 503; the file keeps that size. Only where DATA_DIR outlives the process: what waits in it was acknowledged. 0: no spool, 503 at once.',
    wholeNumber(0, 1_099_511_627_776)
      .refine((bytes) => bytes === 0 || bytes >= 4_194_304, 'must be 0 or at least 4194304')
      .prefault('1073741824'),
  ),
  ARCHIVE_URL: setting(
    'Where the projector archives the tracking log as Parquet: a directory, or s3://bucket/prefix in any store that speaks S3. One per installation. Absent: nowhere.',
    archiveUrl.optional(),
  ),
  ARCHIVE_S3_ENDPOINT: setting(
    'The S3 store of the archive, such as https://minio.example:9000; buckets are named in the path. Absent: Amazon S3 in the region.',
    z
      .string()
      .regex(/^https?:\/\/[^/?#\s@]+\/?$/, 'must look like https://host:port')
      .optional(),
  ),
  ARCHIVE_S3_REGION: setting(
    'Region of the S3 store, by which requests are signed.',
    z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, 'must have lower-case letters, digits and dashes')
      .prefault('us-east-1'),
  ),
  ARCHIVE_S3_ACCESS_KEY_ID: setting(
    'Access key for the bucket of the archive; it must be allowed to put, get, list and delete objects there.',
    z.string().min(1).optional(),
  ),
  ARCHIVE_S3_SECRET_ACCESS_KEY: secret('Secret of the access key.', z.string().min(1).optional()),
  ARCHIVE_SEGMENT_INTERVAL_MS: setting(
    'How long what was appended waits for more before it is archived. Must be far below what the log keeps.',
    wholeNumber(10, 604_800_000).prefault('3600000'),
  ),
  ARCHIVE_SEGMENT_EVENTS_MAX: setting(
    'Events after which a segment of the archive is full.',
    wholeNumber(1, 10_000_000).prefault('500000'),
  ),
  ARCHIVE_RETENTION_DAYS: setting(
    'Days that the archive keeps events, by whole segments. Absent: for ever.',
    wholeNumber(1, 36_500).optional(),
  ),
  KAFKA_BROKERS: setting('Kafka brokers to begin with, a comma list of host:port.', brokers.optional()),
  KAFKA_TOPIC: setting(
    'Topic of the tracking log; made when absent.',
    z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must have 1 to 249 letters, digits, dots, dashes or underscores')
      .prefault('tidemark.tracking-log'),
  ),
  KAFKA_REPLICATION_FACTOR: setting(
    'Copies of the topic when it is made. Absent: 3, or 1 if the cluster has fewer than 3 brokers.',
    wholeNumber(1, 15).optional(),
  ),
  KAFKA_RETENTION_DAYS: setting(
    'Days that the topic keeps events, when it is made. Absent: for ever.',
    wholeNumber(1, 36_500).optional(),
  ),
  KAFKA_COMPRESSION: setting(
    'How batches are compressed on the way to Kafka and in it.',
    z.enum(['none', 'gzip', 'snappy']).prefault('gzip'),
  ),
  KAFKA_APPEND_TIMEOUT_MS: setting(
    'How long an append may wait for Kafka before it is refused.',
    wholeNumber(500, 60_000).prefault('5000'),
  ),
  KAFKA_TLS: setting('Whether Kafka is spoken to over TLS.', z.enum(['on', 'off']).prefault('off')),
  KAFKA_TLS_CA: setting(
    "Certificate authority of the brokers, PEM. Absent: Node's own list.",
    z.string().includes('BEGIN CERTIFICATE', 'must be a certificate in PEM').optional(),
  ),
  KAFKA_SASL_MECHANISM: setting(
    'How to authenticate with Kafka. Absent: not at all.',
    z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  ),
  KAFKA_SASL_USERNAME: setting('User name for Kafka.', z.string().min(1).optional()),
  KAFKA_SASL_PASSWORD: secret('Password for Kafka.', z.string().min(1).optional()),
  EVENT_STORE: setting(
    'Driver of the event store: sites, keys and what else people did.',
    z.enum(['postgres', 'eventstoredb']).prefault('postgres'),
  ),
  EVENTSTORE_URL: secret(
    'EventStoreDB 23.10 or newer, as its connection string: esdb://user:password@host:2113, with ?tls=false for a server without TLS. The user must be allowed to read $all.',
    eventStoreDbUrl.optional(),
  ),
  EVENTSTORE_STREAM_PREFIX: setting(
    'What the name of every stream in EventStoreDB begins with: one per installation that shares a server.',
    z
      .string()
      .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 letters, digits, dashes or underscores')
      .prefault('tidemark'),
  ),
  EVENTSTORE_TIMEOUT_MS: setting(
    'How long EventStoreDB may take for an append, or be silent during a read, before it counts as unavailable.',
    wholeNumber(100, 60_000).prefault('3000'),
  ),
  OPERATOR_KEY: secret(
    "The operator's API key, at least 32 characters. Absent: one is made at first boot and printed once.",
    z.string().min(32, 'must have at least 32 characters').max(256).optional(),
  ),
  KEY_PEPPER: secret(
    'Secret under which API keys are stored, at least 32 characters, the same on every node. Absent: one is made under DATA_DIR.',
    z.string().min(32, 'must have at least 32 characters').optional(),
  ),
  KEY_REQUESTS_PER_MINUTE_MAX: setting(
    'Requests one API key may make in a minute to the query and control plane endpoints, all nodes together where they share a Redis. As many may come at once.',
    wholeNumber(1, 10_000_000).prefault('60000'),
  ),
  LINK_VISITOR_REQUESTS_PER_MINUTE_MAX: setting(
    'Requests that one client address (IPv6: /64) may make in a minute by one shared link, to each node. All who came by the link together may make KEY_REQUESTS_PER_MINUTE_MAX.',
    wholeNumber(1, 10_000_000).prefault('1200'),
  ),
  REFUSED_KEYS_PER_MINUTE_MAX: setting(
    'Requests without a valid key that one client address (IPv6: /64) may make in a minute to these endpoints before it is answered 429 instead of 401.',
    wholeNumber(1, 10_000_000).prefault('600'),
  ),
  SITE_EVENTS_PER_SECOND_MAX: setting(
    'Events of one site that intake takes in a second, all nodes together where they share a Redis; beyond that it answers 429.',
    wholeNumber(1, 1_000_000).prefault('30000'),
  ),
  SITE_BURST_SECONDS: setting(
    'How many seconds of SITE_EVENTS_PER_SECOND_MAX may come at once.',
    wholeNumber(1, 3_600).prefault('10'),
  ),
  ...QUOTA_SETTINGS,
  ...ACCOUNT_SETTINGS,
  TRUST_PROXY: setting(
    'Which hops may set X-Forwarded-For: none, a number of hops, or a comma list of addresses, CIDR ranges, loopback, linklocal, uniquelocal.',
    trustProxy.prefault('none'),
  ),
  LOG_LEVEL: setting(
    'Least severe log line written.',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).prefault('info'),
  ),
  INTAKE_QUEUE_BYTES_MAX: setting(
    'Bytes of events that may wait for the log before intake answers 503.',
    wholeNumber(65_536, 1_073_741_824).prefault('33554432'),
  ),
  PLACES_DATABASE: setting(
    'Path of an MMDB file that names countries, regions and cities, such as GeoLite2-City.mmdb; takes its size in memory. Absent: the one that comes along, of countries.',
    z.string().min(1).optional(),
  ),
  ALLOWED_QUERY_PARAMETERS: setting(
    'Query parameters of page URLs that are kept, besides utm_*, ref and source, and of click ids the name; comma list. All others are removed before storage.',
    z
      .string()
      .prefault('')
      .transform((text) =>
        text
          .split(',')
          .map((name) => name.trim())
          .filter(Boolean),
      ),
  ),
  PROJECTOR_FLUSH_INTERVAL_MS: setting(
    'How long the projector gathers events before it commits.',
    wholeNumber(10, 60_000).prefault('1000'),
  ),
  PROJECTOR_FLUSH_EVENTS_MAX: setting(
    'Events of one partition after which the projector commits without waiting longer; all partitions together hold three times as many. One more counts for every 512 characters that an event has.',
    wholeNumber(1, 200_000).prefault('16000'),
  ),
  PROJECTOR_EVENTS_IN_MEMORY_MAX: setting(
    'Events of recent sessions, and their visitors, kept in memory before the least used are dropped (they are read again when needed); counted in the same way.',
    wholeNumber(1_000, 10_000_000).prefault('40000'),
  ),
  REBUILD_BUCKET_EVENTS_MAX: setting(
    'Events that a rebuild holds in memory at a time for each partition it works on.',
    wholeNumber(100, 10_000_000).prefault('40000'),
  ),
  REBUILD_PARTITIONS_AT_ONCE: setting(
    'Partitions that one process rebuilds at a time.',
    wholeNumber(1, 64).prefault('2'),
  ),
  REBUILD_EVENTS_PER_SECOND_MAX: setting(
    'Events a second to which one process holds a rebuild, for the sake of what else runs on the machine. Absent: as fast as it goes.',
    wholeNumber(1, 100_000_000).optional(),
  ),
  QUERY_TIMEOUT_MS: setting(
    'How long one query may run in PostgreSQL before it is refused as too costly.',
    wholeNumber(100, 600_000).prefault('10000'),
  ),
  QUERY_SESSIONS_MAX: setting(
    'How many sessions of a site one query counts one by one. Beyond, it counts a sample of the visitors, or estimates them from sketches, and says so.',
    wholeNumber(1_000, 1_000_000_000).prefault('3000000'),
  ),
  SETTLED_DAY_SESSIONS_MIN: setting(
    'From how many sessions on some day a site is large: its days that are over are computed ahead of questions.',
    wholeNumber(1, 1_000_000_000).prefault('2500'),
  ),
  REALTIME_STREAMS_MAX: setting(
    'Event streams of realtime numbers that one process keeps open; beyond, 503.',
    wholeNumber(0, 100_000).prefault('5000'),
  ),
  REALTIME_STREAMS_PER_KEY_MAX: setting(
    'Those of them that one API key may have open; beyond, 429.',
    wholeNumber(0, 100_000).prefault('1000'),
  ),
  JOBS_RUNNING_MAX: setting(
    'Exports and queries with Prefer: respond-async that one process works on at a time. 0: it leaves them to others.',
    wholeNumber(0, 64).prefault('2'),
  ),
  JOBS_WAITING_PER_SITE_MAX: setting(
    'How many of them a site may have waiting or running; beyond, 429.',
    wholeNumber(1, 10_000).prefault('10'),
  ),
  JOBS_WAITING_PER_MERCHANT_MAX: setting(
    'How many of them all sites of a merchant may have waiting or running; beyond, 429.',
    wholeNumber(1, 10_000).prefault('50'),
  ),
  JOB_QUERY_TIMEOUT_MS: setting(
    'How long one statement of a job may run in PostgreSQL: a whole query, or a page of an export.',
    wholeNumber(100, 3_600_000).prefault('300000'),
  ),
  JOB_RESULT_BYTES_MAX: setting(
    'How large the result of one job may become before the job fails.',
    wholeNumber(65_536, 1_099_511_627_776).prefault('2147483648'),
  ),
  JOB_RESULTS_PER_MERCHANT_BYTES_MAX: setting(
    'How large all results together may be that are kept for a merchant before its next job is refused (409).',
    wholeNumber(65_536, 1_099_511_627_776).prefault('10737418240'),
  ),
  JOB_RESULT_RETENTION_HOURS: setting(
    'Hours for which the result of a job can be fetched.',
    wholeNumber(1, 720).prefault('24'),
  ),
  DELETION_GRACE_DAYS: setting(
    'Days after the deletion of a site until its rows are erased. Nobody can ask for them meanwhile.',
    wholeNumber(1, 365).prefault('7'),
  ),
  COMPARE_TIMEOUT_MS: setting(
    'How long comparing two versions of a projection may run in PostgreSQL before it is refused as too costly.',
    wholeNumber(100, 600_000).prefault('60000'),
  ),
  SHUTDOWN_DELAY_MS: setting(
    'How long a stopping process goes on accepting requests with readiness off, so that balancers notice. Counts towards SHUTDOWN_TIMEOUT_MS.',
    wholeNumber(0, 30_000).prefault('0'),
  ),
  SHUTDOWN_TIMEOUT_MS: setting(
    'How long a stopping process may take to finish what it accepted.',
    wholeNumber(1_000, 60_000).prefault('10000'),
  ),
  FAILPOINT: setting(
    'For tests only: kill this process at a named place, after passing it so many times, such as projector.after-commit:3.',
    failpointCheck.optional(),
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Config = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['check']> };

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  }
}

/** Injection token of the validated configuration. */
export const CONFIG = Symbol('Config');

/** @throws ConfigError naming every problem at once. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(environment)) {
    if (name.startsWith('TIDEMARK_')) problems.push(`${name}: there is no such setting`);
  }
  for (const [name, { check }] of Object.entries(SETTINGS)) {
    const text = textOf(name, environment, problems);
    const parsed = check.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else for (const issue of parsed.error.issues) problems.push(`${name}: ${issue.message}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Config;
}

/** The setting's text, from `NAME` or the file named by `NAME_FILE`. Empty means absent. */
function textOf(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const direct = environment[name] || undefined;
  const path = environment[`${name}_FILE`] || undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    problems.push(`${name}: given twice, as ${name} and as ${name}_FILE`);
    return undefined;
  }
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}
