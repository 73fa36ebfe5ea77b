// The server under measurement: intake as the product runs it, in a process of its own. Prints
// where it listens and a key of its one site.
import { startIngestApp } from '../../test/servers/ingest-app.js';

const app = await startIngestApp({
  SITE_EVENTS_PER_SECOND_MAX: '1000000',
  INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: '1000000',
});
const { key } = await app.createSite('shop.example', ['ingest']);
process.stdout.write(`${JSON.stringify({ url: app.url, key })}\n`);
process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)));
