// The product killed with -9 in the middle of each command: after each of its appends, before anything that follows.
// Once it lives again and the same is asked again, the outcome is as if it had been asked once, and tables,
// directories and streams agree. The commands are read from the code: a new one must be killed here, too.
import { readdirSync, readFileSync } from 'node:fs';
import { Pool } from 'pg';
import { PostgresEventStore } from '../../src/event-store/postgres.event-store.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { controlRows, foldedRows } from '../control-rows.js';
import { OPERATOR_KEY, OperatedProduct } from '../e2e/operated-product.js';
import { Asking, type Killed, type Prepared } from './killed-commands/asking.js';
import { CONTROL_PLANE } from './killed-commands/control-plane.js';
import { PEOPLE, SECRETS } from './killed-commands/people.js';

/** What is killed by specs of its own, or cannot be asked for over HTTP. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  IssueOperatorKey: 'at the first boot: a key that nobody saw is replaced by setting another one',
  RecordComparison: 'one append that says what was compared, after the answer is known',
  ReplayDeadLetter: 'dead-letter-replay.e2e.spec.ts',
  DeleteDeadLetter: 'dead-letter-replay.e2e.spec.ts: both are decisions that are carried out later',
  ChangeVersions: 'test/e2e/rebuild.e2e.spec.ts',
};
const COMMANDS = [...CONTROL_PLANE, ...PEOPLE, ...SECRETS];
const TEST_MS_MAX = 1_500_000;

let product: OperatedProduct;

beforeAll(async () => {
  product = await OperatedProduct.start({
    ...{ ROLE: 'api', LOG_LEVEL: 'info', PASSWORD_HASH_COST: '12' },
    ...{ AUTH_GUESSES_PER_ACCOUNT_MAX: '10000', AUTH_GUESSES_PER_ADDRESS_MAX: '10000' },
  });
}, 180_000);
afterAll(() => product?.stop());

it('is about every command that there is', () => {
  const handled = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.command.ts'))
    .flatMap((path) =>
      [...readFileSync(`src/${path}`, 'utf8').matchAll(/@CommandHandler\((\w+)\)/g)].map(([, name]) => name!),
    );
  const known = [...COMMANDS.map(({ command }) => command), ...Object.keys(ELSEWHERE)];
  expect(known.toSorted()).toEqual(handled.toSorted());
});

it.each<[string, readonly Killed[]]>([
  ['merchants, sites and what belongs to them', CONTROL_PLANE],
  ['people', PEOPLE],
  ['secrets of people', SECRETS],
])(
  'carries out commands about %s once, after whichever append they were killed',
  async (_, commands) => {
    const asking = new Asking(product, OPERATOR_KEY);
    const killed: { readonly name: string; readonly prepared: Prepared; readonly passes: number }[] = [];
    for (const { command, appends, prepare } of commands) {
      for (let append = 0; append < appends; append++) {
        const name = `${command} after append ${append + 1}`;
        const prepared = await prepare(asking, `${command.toLowerCase()}-${append}`);
        killed.push({ name, prepared, passes: (prepared.before ?? 0) + append });
      }
    }
    await product.kill('SIGTERM');

    const survived: string[] = [];
    for (const { name, prepared, passes } of killed) {
      await product.startAgain({ FAILPOINT: `event-store.after-append:${passes}` });
      // Whoever sends may have taken the broken connection for an answer like others.
      await prepared.send().catch(() => undefined);
      const isAlive = await fetch(`${product.url}/health/live`).then(
        () => true,
        () => false,
      );
      if (isAlive) survived.push(name);
      await product.kill('SIGKILL');
    }
    expect(survived).toEqual([]);

    await product.startAgain();
    // Half a minute goes by, after which attempts are taken for dead.
    await product.postgres.pool.query(
      `UPDATE repeatable_requests SET until = until - interval '1 minute' WHERE answer IS NULL`,
    );
    const broken: string[] = [];
    for (const { name, prepared } of killed) {
      await prepared.holds().catch((error: Error) => broken.push(`${name}: ${error.message}`));
    }
    expect(broken).toEqual([]);
    await agree(asking);
  },
  TEST_MS_MAX,
);

/** Tables with streams, and what is answered from memory with both. */
async function agree(asking: Asking): Promise<void> {
  const { sites: listed } = (await asking.done('GET /v1/sites?limit=1000')) as { sites: { id: string }[] };
  const { keys } = (await asking.done('GET /v1/keys?limit=1000')) as { keys: { id: string }[] };
  // Lists from the tables wait for what is stored.
  await asking.done('GET /admin/v1/merchants?limit=1');
  const pool = new Pool({ connectionString: product.postgres.url });
  const eventStore = new PostgresEventStore(pool, new Telemetry('silent'));
  const rows = await controlRows(pool);
  expect(rows).toEqual(await foldedRows(eventStore));
  const ids = (listed: readonly { id: string }[]) => new Set(listed.map(({ id }) => id));
  const ofMerchant = rows.keys.filter(({ site }) => site === null);
  expect(ids(listed)).toEqual(new Set(rows.sites.map(({ site }) => site)));
  expect(ids(keys)).toEqual(new Set(ofMerchant.map(({ key }) => key)));
  await eventStore.close();
  await pool.end();
}
