// Every setting Tidemark knows: name, meaning, default and check stand side by side, and the
// boot check, `.env.example`, `bin/tidemark config` and docs/reference/config.md are made from
// this list. The only file that reads the environment.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

export const ROLES = ['ingest', 'projector', 'api'] as const;
export type Role = (typeof ROLES)[number];

interface Setting<T extends z.ZodType = z.ZodType> {
  readonly meaning: string;
  /** Shown instead of the value wherever settings are listed. */
  readonly secret?: true;
  readonly check: T;
}

const setting = <T extends z.ZodType>(meaning: string, check: T): Setting<T> => ({ meaning, check });
const secret = <T extends z.ZodType>(meaning: string, check: T): Setting<T> => ({
  meaning,
  check,
  secret: true,
});

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

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

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://');

const trustProxy = z.string().transform((text, context): false | number | readonly string[] => {
  if (text === 'none' || text === '') return false;
  if (/^\d+$/.test(text)) return Number(text);
  const hops = text.split(',').map((hop) => hop.trim());
  const known = /^(loopback|linklocal|uniquelocal|[0-9a-fA-F.:]+(\/\d{1,3})?)$/;
  for (const hop of hops) {
    if (!known.test(hop)) {
      context.addIssue({
        code: 'custom',
        message: `"${hop}" is not an address, a CIDR range, loopback, linklocal or uniquelocal`,
      });
    }
  }
  return hops;
});

/** Places where a crash test may kill the process: between steps whose order carries a guarantee. */
export const FAILPOINTS = [
  'intake.before-append',
  'intake.after-append',
  'projector.before-transaction',
  'projector.before-commit',
  'projector.after-commit',
] as const;

const failpoint = z.string().transform((text, context) => {
  const [, place, passes] = /^([a-z.-]+):(\d{1,6})$/.exec(text) ?? [];
  const name = FAILPOINTS.find((known) => known === place);
  if (name === undefined) {
    context.addIssue({
      code: 'custom',
      message: `must be place:passes; the places are ${FAILPOINTS.join(', ')}`,
    });
    return z.NEVER;
  }
  return { name, passes: Number(passes) };
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
    'PostgreSQL 15 or newer. Absent: a PostgreSQL under DATA_DIR is run.',
    postgresUrl.optional(),
  ),
  TRACKING_LOG: setting('Driver of the tracking log.', z.enum(['embedded']).prefault('embedded')),
  TRACKING_LOG_PARTITIONS: setting(
    'Partitions of the tracking log. Fixed once the log exists.',
    wholeNumber(1, 1024).prefault('4'),
  ),
  TRACKING_LOG_BYTES_MAX: setting(
    'Size at which the embedded log refuses appends (503) instead of growing.',
    wholeNumber(1_048_576, 1_099_511_627_776).prefault('68719476736'),
  ),
  EVENT_STORE: setting('Driver of the event store.', z.enum(['postgres']).prefault('postgres')),
  OPERATOR_KEY: secret(
    "The operator's API key, at least 32 characters. Absent: one is made at first boot and printed once.",
    z.string().min(32, 'must have at least 32 characters').max(256).optional(),
  ),
  KEY_PEPPER: secret(
    'Secret under which API keys are stored, at least 32 characters, the same on every node. Absent: one is made under DATA_DIR.',
    z.string().min(32, 'must have at least 32 characters').optional(),
  ),
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
  ALLOWED_QUERY_PARAMETERS: setting(
    'Query parameters of page URLs that are kept, besides utm_*, ref and source; comma list. All others are removed before storage.',
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
    'Events of one partition after which the projector commits without waiting longer; all partitions together hold three times as many.',
    wholeNumber(1, 200_000).prefault('16000'),
  ),
  PROJECTOR_EVENTS_IN_MEMORY_MAX: setting(
    'Events of recent sessions, and their visitors, kept in memory before the least used are dropped (they are read again when needed).',
    wholeNumber(1_000, 10_000_000).prefault('40000'),
  ),
  QUERY_TIMEOUT_MS: setting(
    'How long one query may run in PostgreSQL before it is refused as too costly.',
    wholeNumber(100, 600_000).prefault('10000'),
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
    failpoint.optional(),
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
