// Which country an address is in: the database is read once and asked in memory, nothing is looked
// up over a network. It names countries only; region and city need a database of the user's own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'maxmind';
import type { Place } from '../events/tracked-event.js';

const DATABASE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';

type Row = Response & { readonly country_code?: string };

export class Places {
  private readonly reader: Reader<Row>;
  /** One object per country, not one per event. */
  private readonly byCountry = new Map<string, Place>();

  constructor() {
    const path = createRequire(import.meta.url).resolve(DATABASE);
    this.reader = new Reader<Row>(readFileSync(path));
  }

  /** `address` must be an IP address. Undefined: private, reserved or unknown. */
  of(address: string): Place | undefined {
    const country = this.reader.get(address)?.country_code;
    if (country === undefined) return undefined;
    let place = this.byCountry.get(country);
    if (place === undefined) {
      place = Object.freeze({ country });
      this.byCountry.set(country, place);
    }
    return place;
  }
}
