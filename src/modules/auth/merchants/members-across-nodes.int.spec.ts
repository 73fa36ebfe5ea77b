// Members on another node than the one that was told: what they may follows, within what a store takes to tell.
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { Members } from '../../../../test/servers/members.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';

/** On a busy machine; how soon a store tells its subscribers, its contract measures. */
const PROMPT_MS = 10_000;
const environment = { OPERATOR_KEY, KEY_PEPPER: 'a pepper that both of the nodes are given' };

let postgres: MigratedPostgres;
let nodes: readonly [ControlPlane, ControlPlane];
let people: readonly [Members, Members];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  const start = () => startControlPlane(postgres.pool, { environment });
  nodes = [await start(), await start()];
  people = [new Members(nodes[0]), new Members(nodes[1])];
});
afterAll(async () => {
  for (const node of nodes) await node.close();
  await postgres.stop();
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > PROMPT_MS) throw new Error(`It did not hold within ${PROMPT_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('may what their role says on every node, from joining to leaving', async () => {
  const [here, there] = people;
  const merchant = await here.register('pOwner');
  const own = await here.register('pAnna');
  await here.join('pAnna', merchant, 'viewer');
  const anna = ['pAnna', merchant] as const;
  const path = '/v1/merchant/members';
  const status = async (asked = path) => (await there.call(anna, ['GET', asked])).status;
  await until(async () => (await status()) === 403);
  const change = (role: string) =>
    here.call(['pOwner', merchant], ['PATCH', `${path}/pAnna`], { body: { role } });
  await change('admin');
  await until(async () => (await status()) === 200);
  await change('editor');
  await until(async () => (await status()) === 403);
  expect(await status('/v1/sites')).toBe(200);
  await here.call(['pOwner', merchant], ['DELETE', `${path}/pAnna`]);
  await until(async () => (await status('/v1/sites')) === 403);
  // What is hers stays hers.
  expect((await there.call(['pAnna', own], ['GET', path])).status).toBe(200);
});

it('are in the lists of every node as soon as they joined', async () => {
  const [here] = people;
  const merchant = await here.register('pOther');
  for (let n = 0; n < 5; n++) {
    await here.register(`pMember${n}`);
    await here.join(`pMember${n}`, merchant, 'viewer');
    const { body } = await nodes[1].call('GET', `/v1/merchant/members?merchant=${merchant}`);
    expect(body.members).toHaveLength(n + 2);
  }
});

it('decide from either node about one stream: of two removals of the two owners, one is done', async () => {
  const [here] = people;
  const merchant = await here.register('pFirst');
  await here.register('pSecond');
  await here.join('pSecond', merchant, 'owner');
  await until(async () => {
    const { body } = await nodes[1].call('GET', `/v1/merchant/members?merchant=${merchant}`);
    return body.members.length === 2;
  });
  const remove = (node: ControlPlane, person: string) =>
    node.call('DELETE', `/v1/merchant/members/${person}?merchant=${merchant}`);
  const answers = await Promise.all([remove(nodes[0], 'pFirst'), remove(nodes[1], 'pSecond')]);
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 409]);
});
