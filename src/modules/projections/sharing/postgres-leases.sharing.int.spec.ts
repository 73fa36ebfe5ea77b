import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import {
  Holder,
  isFair,
  PARTITIONS,
  partitionSharingContract,
  within,
} from '../../../../test/contract/partition-sharing.contract.js';
import { type FaultProxy, startFaultProxy } from '../../../../test/servers/fault-proxy.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { MEMBERSHIP_MS } from './partition-sharing.js';
import { PostgresLeases } from './postgres-leases.sharing.js';
import { SharingTelemetry } from './sharing.telemetry.js';

const PATIENCE_MS = 60_000;

const memberOf = (pool: Pool): PostgresLeases =>
  new PostgresLeases({
    pool,
    partitions: PARTITIONS,
    telemetry: new SharingTelemetry(new Telemetry('silent')),
  });

describe('leases in PostgreSQL', () => {
  describe('of several members', () => {
    partitionSharingContract(async () => {
      const postgres = await startMigratedPostgres();
      return { member: () => memberOf(postgres.pool), stop: () => postgres.stop() };
    });
  });

  describe('behind a network that fails', () => {
    let postgres: MigratedPostgres;
    let proxy: FaultProxy;
    let farPool: Pool;
    let near: PostgresLeases;
    let far: PostgresLeases;
    const nearHolder = new Holder();
    const farHolder = new Holder();

    beforeAll(async () => {
      postgres = await startMigratedPostgres();
      const url = new URL(postgres.url);
      proxy = await startFaultProxy(Number(url.port));
      url.host = `127.0.0.1:${proxy.port}`;
      farPool = new Pool({ connectionString: url.href });
      [near, far] = [memberOf(postgres.pool), memberOf(farPool)];
    });
    afterAll(async () => {
      proxy.mode = 'pass';
      await Promise.all([near.leave(), far.leave()]);
      await farPool.end();
      await proxy.close();
      await postgres.stop();
    });

    it('gives who is alone everything with the first answer', async () => {
      await far.join(farHolder);
      expect(isFair([farHolder])).toBe(true);
      await near.join(nearHolder);
      await within(PATIENCE_MS, () => isFair([nearHolder, farHolder]));
    });

    it('takes over from who is silent, who by then has nothing himself', async () => {
      proxy.mode = 'blackhole';
      await within(PATIENCE_MS, () => {
        const both = [...nearHolder.assigned].filter((partition) => farHolder.assigned.has(partition));
        if (both.length > 0) throw new Error(`Two work on ${both.join()}`);
        return isFair([nearHolder]);
      });
      expect(farHolder.assigned.size).toBe(0);
      proxy.mode = 'pass';
      await within(PATIENCE_MS, () => isFair([nearHolder, farHolder]));
    });

    it('takes over sooner from whose connection is gone, as a killed process’s is', async () => {
      proxy.mode = 'refuse';
      const cutAt = performance.now();
      await within(PATIENCE_MS, () => nearHolder.assigned.size === PARTITIONS);
      expect(performance.now() - cutAt).toBeLessThan(MEMBERSHIP_MS - 1_000);
      proxy.mode = 'pass';
      await within(PATIENCE_MS, () => isFair([nearHolder, farHolder]));
    });

    it('leaves everybody what he has when all are cut off for a moment', async () => {
      const before = [[...nearHolder.assigned], [...farHolder.assigned]];
      await postgres.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemark-leases'
           AND datname = current_database()`,
      );
      for (let look = 0; look < 40; look++) {
        expect([[...nearHolder.assigned], [...farHolder.assigned]]).toEqual(before);
        await sleep(100);
      }
    });

    it('asks again at once when a checkpoint was moved by another', async () => {
      await postgres.pool.query("UPDATE partition_leases SET owner = 1, until = now() + interval '1 hour'");
      await near.recheck();
      expect(nearHolder.assigned.size).toBe(0);
      await postgres.pool.query('UPDATE partition_leases SET owner = NULL');
      await within(PATIENCE_MS, () => isFair([nearHolder, farHolder]));
    });

    it('lets go only when the work has ended', async () => {
      let end = (): void => undefined;
      await near.leave();
      await within(PATIENCE_MS, () => isFair([farHolder]));
      farHolder.busy = new Promise((resolve) => (end = resolve));
      const late = memberOf(postgres.pool);
      const lateHolder = new Holder();
      await late.join(lateHolder);
      await sleep(3_000);
      expect(lateHolder.assigned.size).toBe(0);
      farHolder.busy = undefined;
      end();
      await within(PATIENCE_MS, () => isFair([farHolder, lateHolder]));
      await late.leave();
      near = memberOf(postgres.pool);
    });
  });
});
