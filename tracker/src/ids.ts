// Random ids: of events; and of a visitor who allows one that lasts, in a cookie of the site's own, for 13 months from
// the consent. Where cookies are blocked there is none, and Tidemark counts as if there were no such consent.
const SECONDS = 395 * 86_400;

/** 128 bits; `crypto.randomUUID` is missing on pages without TLS. */
export const newId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-');

const read = (): string | undefined => /\btidemark_id=([\w-]+)/.exec(document.cookie)?.[1];

export const visitorId = (): string | undefined => read() ?? (write(newId(), SECONDS), read());

export const forgetVisitor = (): void => write('', 0);

function write(id: string, seconds: number): void {
  document.cookie = `tidemark_id=${id};path=/;max-age=${seconds};samesite=lax${isSecureContext ? ';secure' : ''}`;
}
