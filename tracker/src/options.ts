// What a page may say to the tracker: the attributes of its script tag, or the options of `init`, and the calls.

/** What the visitor allows: nothing is sent, counting without an id that lasts, or an id in a cookie. */
export type Consent = 'none' | 'cookieless' | 'full';

/** On by being there, as attributes are. */
type Switch = true | '';

export interface Options {
  /** Where Tidemark answers, such as `https://t.example`. A script tag's is where the script came from. */
  readonly host: string;
  /** Of scope `ingest`: it is public. */
  readonly key: string;
  /** Id or domain. */
  readonly site?: string | undefined;
  /** Absent: what the site's `consentMode` says. */
  readonly consent?: Consent | undefined;
  /** The fragment names the page (`/#/pricing`). */
  readonly hash?: Switch | undefined;
  /** No pageview but those that are called for. */
  readonly manual?: Switch | undefined;
  /** This is the page for what was not found: an event `404` is sent beside its pageview. */
  readonly notFound?: Switch | undefined;
  /** Events that could not be sent are kept in localStorage, so that the next page sends them. */
  readonly offline?: Switch | undefined;
  /** What is left alone: some of `outbound`, `downloads`, `forms`, `engagement`; in a list, or as words of a text. */
  readonly off?: string | readonly string[] | undefined;
}

/** With what stands in for what is absent. */
export type Prepared = Omit<Options, 'consent'> & {
  consent?: Consent | undefined;
  readonly off: string | readonly string[];
};

export interface Details {
  readonly props?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly revenue?: { readonly amount: number | string; readonly currency: string } | undefined;
  /** Absolute; default: the page's. */
  readonly url?: string | undefined;
  readonly referrer?: string | undefined;
  readonly title?: string | undefined;
  /** False: does not end a bounce. */
  readonly interactive?: boolean | undefined;
}

export interface Tidemark {
  (what: 'consent', allowed: Consent): void;
  (name: string, details?: Details): void;
}

/** In force; `consent` changes. */
export let options: Prepared;

export function setOptions(given: Prepared): void {
  options = given;
}
