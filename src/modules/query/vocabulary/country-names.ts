// The names of countries, in English. The facts hold ISO 3166-1 codes; names are made of them when
// asked, so that a country that is renamed is renamed in its history, too.
const LETTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

/** Code → name, as JSON, for PostgreSQL to look names up in. */
export const COUNTRY_NAMES_JSON: string = JSON.stringify(Object.fromEntries(countryNames()));

function countryNames(): readonly (readonly [code: string, name: string])[] {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const codes = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));
  return codes.flatMap((code) => {
    const name = names.of(code);
    return name === undefined ? [] : [[code, name] as const];
  });
}
