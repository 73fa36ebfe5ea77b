// Where an address is: the database is read once and asked in memory, nothing is looked up over a network. The one
// that comes along names countries only; region and city need one of the operator's own (PLACES_DATABASE).
// Every place says which database named it, and of which day: the address is gone, and cannot be asked again.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import { Reader, type Response } from 'maxmind';
import type { Place } from '../events/tracked-event.js';

const BUNDLED = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';
const BUNDLED_NAME = 'geo-whois-asn-country';
const NAME_CHARACTERS_MAX = 120;
const ROWS_REMEMBERED_MAX = 20_000;

interface Named {
  readonly iso_code?: unknown;
  readonly names?: { readonly en?: unknown };
}

/** MaxMind's form, which most databases have, and the flat one of ip-location-db. */
type Row = Response & {
  readonly country?: Named;
  readonly subdivisions?: readonly Named[];
  readonly city?: Named | string;
  readonly country_code?: unknown;
  readonly state1?: unknown;
};

export class Places {
  private readonly reader: Reader<Row>;
  private readonly database: string;
  /** One object per row that the reader remembers, not one per event. */
  private readonly byRow = new WeakMap<Row, Place>();
  private readonly shared = new Map<string, Place>();

  /** @param path of an MMDB file; absent: the one that comes along. @throws Error when it is none */
  constructor(path?: string) {
    const file = path ?? createRequire(import.meta.url).resolve(BUNDLED);
    try {
      this.reader = new Reader<Row>(readFileSync(file), {
        cache: new LRUCache<string | number, object>({ max: ROWS_REMEMBERED_MAX }),
      });
    } catch (error) {
      throw new Error(
        `PLACES_DATABASE: ${file} cannot be read as an MMDB file: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
    const { databaseType, buildEpoch } = this.reader.metadata;
    const name = path === undefined ? BUNDLED_NAME : databaseType;
    this.database = `${name.slice(0, NAME_CHARACTERS_MAX)} ${buildEpoch.toISOString().slice(0, 10)}`;
  }

  /** `address` must be an IP address. Undefined: private, reserved or unknown. */
  of(address: string): Place | undefined {
    const row = this.reader.get(address);
    if (row === null || typeof row !== 'object') return undefined;
    let place = this.byRow.get(row);
    if (place === undefined) {
      place = this.placeIn(row);
      if (place === undefined) return undefined;
      this.byRow.set(row, place);
    }
    return place;
  }

  private placeIn(row: Row): Place | undefined {
    const country = textOf(row.country?.iso_code) ?? textOf(row.country_code);
    if (country === undefined) return undefined;
    const [subdivision] = row.subdivisions ?? [];
    const code = textOf(subdivision?.iso_code);
    const region = code === undefined ? textOf(row.state1) : `${country}-${code}`;
    const city = textOf(typeof row.city === 'object' ? row.city.names?.en : row.city);
    if (region !== undefined || city !== undefined) {
      return Object.freeze({ country, region, city, database: this.database });
    }
    let known = this.shared.get(country);
    if (known === undefined) {
      known = Object.freeze({ country, database: this.database });
      this.shared.set(country, known);
    }
    return known;
  }
}

/** Whatever else a file may hold is nothing that could be stored. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0')
    ? value.slice(0, NAME_CHARACTERS_MAX)
    : undefined;
