// A tracking id is one site's, whichever of two nodes is asked and however many want it at once. On a real PostgreSQL.
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { nameStream } from './name-claim.js';
import { createSite, siteStream } from './site.aggregate.js';

const environment = { OPERATOR_KEY, KEY_PEPPER: 'a pepper that both of the nodes are given' };
const WANTING = 50;

let postgres: MigratedPostgres;
let nodes: readonly [ControlPlane, ControlPlane];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  const start = () => startControlPlane(postgres.pool, { environment });
  nodes = [await start(), await start()];
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.close();
  await postgres.stop();
});

let names = 0;
const freshDomain = () => `tracked-${++names}.example`;
const freshId = () => `G-${++names}`;
const nodeOf = (n: number): ControlPlane => nodes[n % 2]!;
const create = (body: object = {}, at = nodes[0]) =>
  at.call('POST', '/v1/sites', { body: { domain: freshDomain(), ...body } });
const patch = (site: string, trackingIds: readonly string[], at = nodes[0]) =>
  at.call('PATCH', `/v1/sites/${site}`, { body: { trackingIds } });
/** Of sites, by what each says of itself. */
async function holdersOf(trackingId: string): Promise<string[]> {
  await nodes[0].app.get(DirectoryFollower).settle();
  const { sites } = (await nodes[0].call('GET', '/v1/sites?limit=1000')).body;
  return sites
    .filter((site: { trackingIds: string[] }) => site.trackingIds.includes(trackingId))
    .map(({ id }: { id: string }) => id);
}
const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).sort((a, b) => a - b);
const refusals = (count: number) => Array.from({ length: count }, () => 409);

describe('a tracking id', () => {
  it('goes to one of fifty creations at once on two nodes', async () => {
    const wanted = freshId();
    const answers = await Promise.all(
      Array.from({ length: WANTING }, (_, n) => create({ trackingIds: [wanted] }, nodeOf(n))),
    );
    expect(statusesOf(answers)).toEqual([201, ...refusals(WANTING - 1)]);
    const winner = answers.find(({ status }) => status === 201)!;
    expect(await holdersOf(wanted)).toEqual([winner.body.id]);
    for (const { body } of answers.filter(({ status }) => status === 409)) {
      expect(body.detail).toContain(wanted);
    }
  });

  it('goes to one of fifty sites that want it at once on two nodes', async () => {
    const wanted = freshId();
    const sites = await Promise.all(Array.from({ length: WANTING }, () => create()));
    await nodes[1].app.get(DirectoryFollower).settle();
    const answers = await Promise.all(sites.map(({ body }, n) => patch(body.id, [wanted], nodeOf(n))));
    expect(statusesOf(answers)).toEqual([200, ...refusals(WANTING - 1)]);
    expect(await holdersOf(wanted)).toHaveLength(1);
  });

  it('is free for others, on the other node too, once its site gave it up or was deleted', async () => {
    const wanted = freshId();
    const first = (await create({ trackingIds: [wanted] })).body;
    expect((await create({ trackingIds: [wanted] }, nodes[1])).status).toBe(409);
    expect((await patch(first.id, [])).status).toBe(200);
    const second = await create({ trackingIds: [wanted] }, nodes[1]);
    expect(second.status).toBe(201);
    expect((await patch(first.id, [wanted])).status).toBe(409);
    expect((await nodes[1].call('DELETE', `/v1/sites/${second.body.id}`)).status).toBe(204);
    expect((await patch(first.id, [wanted])).status).toBe(200);
    expect(await holdersOf(wanted)).toEqual([first.id]);
  });

  it('is free again where a command that claimed it was refused', async () => {
    const [free, taken] = [freshId(), freshId()];
    const { body: owner } = await create({ trackingIds: [taken] });
    const { body: site } = await create();
    expect((await patch(site.id, [free, taken])).status).toBe(409);
    expect((await create({ trackingIds: [free], aliases: [owner.domain] })).status).toBe(409);
    expect((await create({ trackingIds: [free] })).status).toBe(201);
  });

  it('stays its site’s where the site took it before ids were claimed', async () => {
    const old = freshId();
    const domain = freshDomain();
    const about = { domain, merchant: 'default', name: domain, timezone: 'UTC', currency: 'EUR' };
    const event = createSite('sOfOld', { ...about, trackingIds: [old] });
    await nodes[0].app.get(EventStore).append(siteStream('sOfOld'), [event], 'none');
    for (const node of nodes) await node.app.get(DirectoryFollower).settle();
    expect((await create({ trackingIds: [old] }, nodes[1])).status).toBe(409);
    expect((await patch('sOfOld', [])).status).toBe(200);
    expect((await create({ trackingIds: [old] }, nodes[1])).status).toBe(201);
  });

  it('goes to others once a command that claimed it and died can no longer be at work', async () => {
    const { body: site } = await create();
    const leave = async (trackingId: string, minutesAgo: number) => {
      const event = { type: 'TrackingIdClaimed', data: { trackingId, site: site.id } };
      const stream = nameStream({ trackingId });
      await nodes[0].app.get(EventStore).append(stream, [event], 'none');
      await postgres.pool.query(
        `UPDATE event_store.events SET recorded_at = recorded_at - $2 * interval '1 minute' WHERE stream = $1`,
        [stream, minutesAgo],
      );
    };
    const [young, old] = [freshId(), freshId()];
    await leave(young, 0);
    await leave(old, 1);
    expect((await create({ trackingIds: [young] })).status).toBe(409);
    expect((await create({ trackingIds: [old] })).status).toBe(201);
    expect((await patch(site.id, [old])).status).toBe(409);
    // Its own at once.
    expect((await patch(site.id, [young])).status).toBe(200);
  });
});
