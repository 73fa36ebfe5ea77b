// A dedicated connection to PostgreSQL that is notified of every append.
import { Client, type Pool } from 'pg';
import { settingsOf } from '../postgres/pool-settings.js';
import type { Listen } from './append-listener.js';

export const APPENDS_CHANNEL = 'tidemark_event_store_appends';

const CONNECT_TIMEOUT_MS = 5_000;

export function postgresNotifications(pool: Pool): Listen {
  return async ({ connected, appended, signal }) => {
    const client = new Client({
      ...settingsOf(pool),
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const end = (): void => void client.end().catch(() => undefined);
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('The connection ended.')));
    });
    ended.catch(() => undefined);
    client.on('notification', appended);
    signal.addEventListener('abort', end);
    try {
      await client.connect();
      await client.query(`LISTEN ${APPENDS_CHANNEL}`);
      connected();
      await ended;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  };
}
