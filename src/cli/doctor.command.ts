// `tidemark doctor`: one look at everything that must be in order, and for whatever is not, what to do.
// Each check stands alone: a failed one never hides the next.
import { statfs } from 'node:fs/promises';
import type { Command } from 'commander';
import type { AnsweredReply, ApiClient } from './api-client.js';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { CliFailure } from './failure.js';

const NODE_WANTED = [20, 19] as const;
const CLOCK_SKEW_SECONDS_MAX = 60;
const DISK_FREE_BYTES_MIN = 1_073_741_824;

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

export function doctorCommand(program: Command, context: CommandContext): void {
  withServer(
    program.command('doctor').description('check that everything is in order, and say what to do if not'),
  ).action(async (options: ServerOptions) => {
    const findings = await examine(options, context);
    if (options.json) context.terminal.json({ findings });
    else printFindings(findings, context);
    const failed = findings.filter(({ state }) => state === 'failed').length;
    if (failed > 0) throw new CliFailure(`${failed} of ${findings.length} checks failed.`);
  });
}

async function examine(options: ServerOptions, context: CommandContext): Promise<Finding[]> {
  const client = connect(context, options);
  const server = await reach(client, context);
  return [
    checkNode(process.versions.node),
    server.finding,
    ...(server.reply ? [checkClock(server.reply, context.now()), ...(await checkReadiness(client))] : []),
    server.reply
      ? await checkKey(client)
      : { check: 'key', state: 'skipped', detail: 'no server to ask about it' },
    await checkDisk(context.config().DATA_DIR),
  ];
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1]);
  if (enough) return { check: 'node', state: 'ok', detail: version };
  return {
    check: 'node',
    state: 'failed',
    detail: `${version} is too old`,
    advice: `Install Node.js ${NODE_WANTED.join('.')} or newer.`,
  };
}

async function reach(
  client: ApiClient,
  context: CommandContext,
): Promise<{ finding: Finding; reply?: AnsweredReply }> {
  const begunAt = context.now();
  const reply = await client.send({ method: 'GET', path: '/health/live' });
  if (reply.outcome === 'answered' && reply.status === 200) {
    const detail = `${client.url} answers in ${context.now() - begunAt} ms`;
    return { finding: { check: 'server', state: 'ok', detail }, reply };
  }
  const detail = reply.outcome === 'answered' ? `answered ${reply.status}` : reply.code;
  return { finding: { check: 'server', state: 'failed', detail, advice: client.explain(reply) } };
}

/** The Date header has whole seconds, which the tolerance covers. */
export function checkClock(reply: AnsweredReply, now: number): Finding {
  const served = Date.parse(reply.headers.get('date') ?? '');
  if (Number.isNaN(served)) return { check: 'clock', state: 'skipped', detail: 'the server tells no time' };
  const skewSeconds = Math.round((now - served) / 1000);
  const detail = `${Math.abs(skewSeconds)} s ${skewSeconds < 0 ? 'behind' : 'ahead of'} the server's`;
  if (Math.abs(skewSeconds) <= CLOCK_SKEW_SECONDS_MAX) return { check: 'clock', state: 'ok', detail };
  const advice = 'Set both clocks by NTP: events with times in the future are refused.';
  return { check: 'clock', state: 'failed', detail, advice };
}

interface Readiness {
  readonly status?: string;
  readonly dependencies?: Readonly<
    Record<string, { readonly status: string; readonly reason?: string; readonly facts?: object }>
  >;
}

async function checkReadiness(client: ApiClient): Promise<Finding[]> {
  const reply = await client.send({ method: 'GET', path: '/health/ready' });
  if (reply.outcome === 'unreachable') {
    return [{ check: 'ready', state: 'failed', detail: reply.code, advice: client.explain(reply) }];
  }
  const { status = 'unknown', dependencies = {} } = (reply.body ?? {}) as Readiness;
  const ready: Finding =
    reply.status === 200
      ? { check: 'ready', state: 'ok', detail: status }
      : {
          check: 'ready',
          state: 'failed',
          detail: status,
          advice: "It takes no traffic now. If it lasts, the server's own log says why.",
        };
  return [ready, ...Object.entries(dependencies).map(([name, health]) => dependencyFinding(name, health))];
}

function dependencyFinding(
  name: string,
  { status, reason, facts }: { status: string; reason?: string; facts?: object },
): Finding {
  const known = Object.entries(facts ?? {}).map(([fact, value]) => `${fact} ${String(value)}`);
  const detail = [status, ...(reason === undefined ? [] : [reason]), ...known].join(', ');
  const check = `ready: ${name}`;
  switch (status) {
    case 'up':
      return { check, state: 'ok', detail };
    case 'degraded':
      return { check, state: 'warning', detail, advice: 'It works, but not as well as it should.' };
    default:
      return {
        check,
        state: 'failed',
        detail,
        advice: "The server cannot use it; the server's log says more.",
      };
  }
}

async function checkKey(client: ApiClient): Promise<Finding> {
  const reply = await client.send({ method: 'GET', path: '/v1/sites?limit=1' });
  if (reply.outcome === 'answered' && reply.status === 200) {
    return { check: 'key', state: 'ok', detail: 'accepted' };
  }
  const detail =
    client.key === undefined
      ? 'none given'
      : reply.outcome === 'answered'
        ? `answered ${reply.status}`
        : reply.code;
  return { check: 'key', state: 'failed', detail, advice: client.explain(reply) };
}

/** Only where the data directory is on this machine. */
async function checkDisk(dataDir: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(dataDir);
    const freeBytes = bavail * bsize;
    const detail = `${(freeBytes / 1_073_741_824).toFixed(1)} GiB free under ${dataDir}`;
    if (freeBytes >= DISK_FREE_BYTES_MIN) return { check: 'disk', state: 'ok', detail };
    return {
      check: 'disk',
      state: 'failed',
      detail,
      advice: 'Make room: intake stops when the disk is full.',
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { check: 'disk', state: 'skipped', detail: `${dataDir} is not on this machine (${code})` };
  }
}

const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '–' } as const;

function printFindings(findings: readonly Finding[], { terminal }: CommandContext): void {
  terminal.table(
    [{ heading: '' }, { heading: 'check' }, { heading: 'finding' }],
    findings.map(({ check, state, detail }) => [MARKS[state], check, detail]),
  );
  for (const { check, advice } of findings) {
    if (advice !== undefined) terminal.print(`\n${check}: ${advice}`);
  }
}
