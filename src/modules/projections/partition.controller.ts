// Receives the partitions that the transport assigns to this process and projects them.
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { TrackingLog } from '../../tracking-log/tracking-log.js';
import { CATALOG } from './catalog/catalog.js';
import { sessions } from './catalog/sessions.projection.js';
import { waiting } from './catalog/waiting.projection.js';
import { Checkpoints } from './checkpoint.js';
import { EventBudget } from './event-budget.js';
import { createInterpreter } from './interpret/interpret.js';
import { tableOf } from './projection.js';
import { ProjectionsTelemetry } from './projections.telemetry.js';
import { PartitionProjector } from './projector.js';
import { sessionReader } from './session-reader.js';
import { type AssignedPartition, PARTITION_PATTERN } from './tracking-log.strategy.js';

@Controller()
export class PartitionController {
  readonly #interpret = createInterpreter();
  readonly #budget: EventBudget;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly pool: Pool,
    private readonly log: TrackingLog,
    private readonly telemetry: ProjectionsTelemetry,
  ) {
    // One run is gathered, one folded, one commits.
    this.#budget = new EventBudget(3 * config.PROJECTOR_FLUSH_EVENTS_MAX);
  }

  @MessagePattern(PARTITION_PATTERN)
  async project(@Payload() { partition, signal }: AssignedPartition): Promise<void> {
    const { config, pool, log, telemetry } = this;
    const projector = new PartitionProjector(partition, {
      log,
      pool,
      telemetry,
      checkpoints: new Checkpoints(pool, CATALOG),
      projections: CATALOG,
      interpret: this.#interpret,
      read: sessionReader(pool, { sessions: tableOf(sessions), waiting: tableOf(waiting) }),
      flushEventsMax: config.PROJECTOR_FLUSH_EVENTS_MAX,
      flushIntervalMs: config.PROJECTOR_FLUSH_INTERVAL_MS,
      budget: this.#budget,
      eventsInMemoryMax: Math.ceil(config.PROJECTOR_EVENTS_IN_MEMORY_MAX / log.partitions),
    });
    await projector.project(signal);
  }
}
