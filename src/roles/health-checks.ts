// The dependencies that each role asks for when it says whether it is ready. Looked up when asked,
// so that this file knows the modules and none of them knows about health.
import type { ModuleRef } from '@nestjs/core';
import { Pool } from 'pg';
import type { Config } from '../config/config.js';
import { DirectoryFollower } from '../modules/auth/directories/directory-follower.js';
import { Salts } from '../modules/ingestion/salts.js';
import { HaltedPartitions } from '../modules/projections/halted-partitions.js';
import { Serving } from '../modules/projections/read-models/serving.js';
import { Freshness } from '../modules/query/freshness.js';
import { RedisStore } from '../redis/redis-store.js';
import { SpoolingTrackingLog } from '../tracking-log/spooling.tracking-log.js';
import { TrackingLog } from '../tracking-log/tracking-log.js';
import { within } from '../waiting/within.js';
import type { Health, HealthCheck } from './health-check.js';

/** Beyond this a revoked key might still be honoured: queries are refused, intake goes on and says so. */
const DIRECTORIES_AGE_MS_MAX = 60_000;
/** Beyond this something is wrong, or a large import is being caught up with. Old answers are still answers. */
const READ_MODELS_LAG_MS_MAX = 60_000;
/** Less than a check may take: where there is a spool, a log that is late is not the end. */
const LOG_ANSWER_MS_MAX = 1_000;

export function healthChecks(
  { ROLE: roles, REDIS_URL }: Pick<Config, 'ROLE' | 'REDIS_URL'>,
  modules: ModuleRef,
): readonly HealthCheck[] {
  const find = <T>(token: abstract new (...parameters: never[]) => T): T =>
    modules.get(token, { strict: false });
  const ingest = roles.includes('ingest');
  const api = roles.includes('api');
  const projector = roles.includes('projector');
  // Intake that runs lives on without Postgres: events wait in the log. The other roles cannot.
  const withoutPostgres = roles.every((role) => role === 'ingest') ? 'degraded' : 'down';
  return [
    { dependency: 'postgres', check: () => postgresHealth(find(Pool)), otherwise: withoutPostgres },
    ...(ingest || projector
      ? [{ dependency: 'tracking-log', check: () => trackingLogHealth(find(TrackingLog)) }]
      : []),
    ...(ingest || api
      ? [
          {
            dependency: 'directories',
            check: () => directoriesHealth(find(DirectoryFollower), api ? 'down' : 'degraded'),
          },
        ]
      : []),
    ...(api || projector
      ? [
          {
            dependency: 'read-models',
            check: () =>
              (projector && haltedHealth(find(HaltedPartitions))) ||
              readModelsHealth(new Freshness(find(Pool), find(Serving))),
          },
        ]
      : []),
    ...(ingest ? [{ dependency: 'salts', check: () => saltsHealth(find(Salts)) }] : []),
    ...(REDIS_URL !== undefined && (ingest || api)
      ? [{ dependency: 'redis', check: () => redisHealth(find(RedisStore)) }]
      : []),
  ];
}

async function postgresHealth(pool: Pool): Promise<Health> {
  await pool.query('SELECT 1');
  return { status: 'up', facts: { connections: pool.totalCount, waiting: pool.waitingCount } };
}

async function trackingLogHealth(log: TrackingLog): Promise<Health> {
  if (log instanceof SpoolingTrackingLog) return spoolingLogHealth(log);
  await log.end(0);
  return { status: 'up', facts: { partitions: log.partitions } };
}

/** Intake goes on while the spool has room: a balancer that turned away now would lose what it could keep. */
async function spoolingLogHealth(log: SpoolingTrackingLog): Promise<Health> {
  const { batches, oldestAt, hasRoom } = await log.state();
  const facts = {
    partitions: log.partitions,
    spooledBatches: batches,
    spooledForMs: oldestAt === null ? 0 : Date.now() - oldestAt,
  };
  if (batches === 0 && (await answers(log))) return { status: 'up', facts };
  const reason = batches === 0 ? 'the log does not answer' : 'events wait in the spool';
  if (hasRoom) return { status: 'degraded', reason, facts };
  return { status: 'down', reason: 'the log does not answer and the spool is full', facts };
}

async function answers(log: TrackingLog): Promise<boolean> {
  const asked = log.end(0).then(
    () => true,
    () => false,
  );
  return (await within(LOG_ANSWER_MS_MAX, asked)) ?? false;
}

function directoriesHealth(follower: DirectoryFollower, otherwise: 'down' | 'degraded'): Health {
  const facts = { ageMs: follower.ageMs };
  if (facts.ageMs <= DIRECTORIES_AGE_MS_MAX) return { status: 'up', facts };
  return { status: otherwise, reason: 'the event store has not been read for too long', facts };
}

/** Not down: the partitions beside it go on, and so does what else this process does. */
function haltedHealth({ reason, count }: HaltedPartitions): Health | undefined {
  if (reason === undefined) return undefined;
  return {
    status: 'degraded',
    reason: `projecting is halted: ${reason}`,
    facts: { haltedPartitions: count },
  };
}

async function readModelsHealth(freshness: Freshness): Promise<Health> {
  const serving = await freshness.ofAll();
  const watermarks = serving
    .flatMap(({ projections }) => Object.values(projections))
    .map(({ watermark }) => watermark?.getTime() ?? null);
  const behind = 'the projector is behind, or does not run';
  if (watermarks.includes(null)) return { status: 'degraded', reason: behind };
  const facts = { lagMs: Date.now() - Math.min(...(watermarks as number[])) };
  if (facts.lagMs <= READ_MODELS_LAG_MS_MAX) return { status: 'up', facts };
  return { status: 'degraded', reason: behind, facts };
}

function saltsHealth(salts: Salts): Health {
  if (salts.at(Date.now())) return { status: 'up' };
  return { status: 'down', reason: 'there is no salt for today' };
}

/** Never down: whatever Redis does can be done without it. */
function redisHealth(redis: RedisStore): Health {
  if (redis.usable) return { status: 'up' };
  return { status: 'degraded', reason: 'it does not answer; nodes count and cache for themselves' };
}
