// The server under measurement: intake as the product runs it, in a process of its own. Prints
// where it listens, a key of a site that was told nothing, and one of a site with settings as a shop has them.
import { startIngestApp } from '../../test/servers/ingest-app.js';

/** None of them refuses what the load sends, so that both sites' events go all the way. */
const SETTINGS = {
  allowedOrigins: ['shop.example', '*.shop.example'],
  hostnames: ['shop.example', '*.shop.example'],
  queryParameters: ['page', 'sort', 'q'],
  consentMode: 'full',
  exclusions: {
    countries: ['AQ'],
    addresses: ['192.0.2.0/24', '2001:db8::/32'],
    pages: ['/admin/**', '/checkout/*/confirm', '/internal/*'],
    hostnames: ['*.staging.shop.example'],
  },
};

const app = await startIngestApp({
  SITE_EVENTS_PER_SECOND_MAX: '1000000',
  INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: '1000000',
});
const { key } = await app.createSite('shop.example', ['ingest']);
const { site, key: keyWithSettings } = await app.createSite('settings.shop.example', ['ingest']);
const changed = await fetch(`${app.url}/v1/sites/${site}`, {
  method: 'PATCH',
  headers: { authorization: `Bearer ${app.operatorKey}`, 'content-type': 'application/json' },
  body: JSON.stringify(SETTINGS),
});
if (!changed.ok) throw new Error(await changed.text());
process.stdout.write(`${JSON.stringify({ url: app.url, key, keyWithSettings })}\n`);
process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)));
