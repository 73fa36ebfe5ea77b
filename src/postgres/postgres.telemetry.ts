// What is measured of PostgreSQL: how many of the pool's connections are in use, and whether
// anybody waits for one.
import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';

export function measurePool(registry: Registry, pool: Pool): void {
  new Gauge({
    name: 'tidemark_postgres_pool_connections',
    help: 'Connections of the pool: busy, idle, and requests waiting for one.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waiting' }, pool.waitingCount);
    },
  });
}
