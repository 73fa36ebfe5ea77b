import type { ModuleRef } from '@nestjs/core';
import { HaltedPartitions } from '../modules/projections/halted-partitions.js';
import { ProjectionsTelemetry } from '../modules/projections/projections.telemetry.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { InvalidPositionError } from '../tracking-log/tracking-log.js';
import { healthChecks } from './health-checks.js';

it('says why a projector has halted, without turning away what its process does besides', async () => {
  const halted = new HaltedPartitions(new ProjectionsTelemetry(new Telemetry('silent')));
  halted.haltAt(new InvalidPositionError('Partition 2 ends at 5 and cannot be read after 9'), {
    partition: 2,
    version: 1,
  });
  const modules = { get: () => halted } as unknown as ModuleRef;
  const checks = healthChecks({ ROLE: ['projector'], REDIS_URL: undefined }, modules);
  expect(await checks.find(({ dependency }) => dependency === 'read-models')!.check()).toEqual({
    status: 'degraded',
    reason: 'projecting is halted: Partition 2 ends at 5 and cannot be read after 9',
    facts: { haltedPartitions: 1 },
  });
});
