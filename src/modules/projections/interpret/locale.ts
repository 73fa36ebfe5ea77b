// Language and screen in one spelling each, so that equal ones are one row of a report.

const TAG = /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/i;

/** As BCP 47 would have it: `de_at` is `de-AT`, `zh-hant-tw` is `zh-Hant-TW`. What is no tag stays as it came. */
export function languageOf(language: string | undefined): string | null {
  const tag = language?.trim();
  if (!tag) return null;
  if (!TAG.test(tag)) return tag;
  const [primary, ...rest] = tag.split(/[-_]/) as [string, ...string[]];
  return [primary.toLowerCase(), ...rest.map(spelt)].join('-');
}

function spelt(part: string): string {
  if (part.length === 2) return part.toUpperCase();
  return part.length === 4 && /^[a-z]/i.test(part)
    ? part.charAt(0).toUpperCase() + part.slice(1).toLowerCase()
    : part.toLowerCase();
}

const SIZE = /^(\d{2,5}) ?[x×*] ?(\d{2,5})(?:x\d+)?$/i;

/** `1920x1080`, whatever stood between the numbers; a depth of colour behind it goes. */
export function screenOf(screen: string | undefined): string | null {
  const text = screen?.trim();
  if (!text) return null;
  const match = SIZE.exec(text);
  return match === null ? text : `${Number(match[1])}x${Number(match[2])}`;
}
