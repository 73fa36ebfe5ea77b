// The dependencies that each role asks for when it says whether it is ready. Looked up when asked,
// so that this file knows the modules and none of them knows about health.
import type { ModuleRef } from '@nestjs/core';
import { Pool } from 'pg';
import type { Role } from '../config/config.js';
import { DirectoryFollower } from '../modules/auth/directories/directory-follower.js';
import { Salts } from '../modules/ingestion/salts.js';
import { Freshness } from '../modules/query/freshness.js';
import { TrackingLog } from '../tracking-log/tracking-log.js';
import type { Health, HealthCheck } from './health-check.js';

/** Beyond this a revoked key might still be honoured: queries are refused, intake goes on and says so. */
const DIRECTORIES_AGE_MS_MAX = 60_000;
/** Beyond this something is wrong, or a large import is being caught up with. Old answers are still answers. */
const READ_MODELS_LAG_MS_MAX = 60_000;

export function healthChecks(roles: readonly Role[], modules: ModuleRef): readonly HealthCheck[] {
  const find = <T>(token: abstract new (...parameters: never[]) => T): T =>
    modules.get(token, { strict: false });
  const ingest = roles.includes('ingest');
  const api = roles.includes('api');
  const projector = roles.includes('projector');
  // Intake that runs lives on without Postgres: events wait in the log. The other roles cannot.
  const withoutPostgres = roles.every((role) => role === 'ingest') ? 'degraded' : 'down';
  return [
    { dependency: 'postgres', check: () => postgresHealth(find(Pool), withoutPostgres) },
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
      ? [{ dependency: 'read-models', check: () => readModelsHealth(new Freshness(find(Pool))) }]
      : []),
    ...(ingest ? [{ dependency: 'salts', check: () => saltsHealth(find(Salts)) }] : []),
  ];
}

async function postgresHealth(pool: Pool, otherwise: 'down' | 'degraded'): Promise<Health> {
  try {
    await pool.query('SELECT 1');
    return { status: 'up', facts: { connections: pool.totalCount, waiting: pool.waitingCount } };
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return { status: otherwise, reason: code ?? name };
  }
}

async function trackingLogHealth(log: TrackingLog): Promise<Health> {
  await log.end(0);
  return { status: 'up', facts: { partitions: log.partitions } };
}

function directoriesHealth(follower: DirectoryFollower, otherwise: 'down' | 'degraded'): Health {
  const facts = { ageMs: follower.ageMs };
  if (facts.ageMs <= DIRECTORIES_AGE_MS_MAX) return { status: 'up', facts };
  return { status: otherwise, reason: 'the event store has not been read for too long', facts };
}

async function readModelsHealth(freshness: Freshness): Promise<Health> {
  const { projections } = await freshness.current();
  const watermarks = Object.values(projections).map(({ watermark }) => watermark?.getTime() ?? null);
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
