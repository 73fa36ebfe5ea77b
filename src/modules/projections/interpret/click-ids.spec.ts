import { CLICK_ID_PARAMETERS } from '../../../events/click-id-parameters.js';
import { clickOf, isClickOn } from './click-ids.js';
import { sourceOfTag } from './known-sources.js';

const clickIn = (query: string) => clickOf(new URLSearchParams(query));

describe('click ids', () => {
  it('name sources that there are', () => {
    for (const parameter of CLICK_ID_PARAMETERS) {
      const { source, alsoFrom } = clickIn(parameter)!;
      const known = [source, ...alsoFrom].map((name) => sourceOfTag(name.toLowerCase())?.name);
      expect(known).toEqual([source, ...alsoFrom]);
    }
  });

  it('are looked for by name, and advertisers before networks', () => {
    expect(clickIn('gclidx=1&q=gclid')).toBeNull();
    expect(clickIn('fbclid=1&gclid=')).toMatchObject({ source: 'Google', paid: true });
  });

  it('belong to the pages that the advertiser shows its clicks on', () => {
    expect(isClickOn(clickIn('gclid')!, 'YouTube')).toBe(true);
    expect(isClickOn(clickIn('gclid')!, 'Bing')).toBe(false);
  });
});
