// A key in a URL is in the logs of every proxy on its way, in histories and in Referer headers: it has to be
// taken for known. It is refused even where a good one is sent besides, so that whoever does this notices
// at once. Values are never repeated in an answer or a log line.

const KEY_PARAMETERS: ReadonlySet<string> = new Set(['key', 'api_key', 'apikey', 'access_token']);
const KEY_FORM = /^tm_[0-9A-Za-z]{32}$/;

export const KEY_IN_URL =
  'Keys are not taken from the URL, where proxies and histories keep them: send Authorization: Bearer <key>, ' +
  'and rotate or revoke the key that was in it.';

export function hasKeyInUrl(url: string): boolean {
  const query = url.indexOf('?');
  if (query < 0) return false;
  for (const [name, value] of new URLSearchParams(url.slice(query + 1))) {
    if (KEY_FORM.test(value) || KEY_PARAMETERS.has(name.toLowerCase())) return true;
  }
  return false;
}
