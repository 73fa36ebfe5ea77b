import { at, engagement, given, pageview } from '../../../../test/given.js';
import { waiting } from './waiting.projection.js';

describe('waiting', () => {
  it('keeps an engagement event that has no session', () =>
    given(waiting, engagement('10:00')).thenRows([
      { site: 'shop', at: at('10:00'), visitor: '00000000000000a1' },
    ]));

  it('lets it go when the pageview comes late', () =>
    given(waiting, engagement('10:05')).when(pageview('10:00')).thenRows([]));

  it('keeps it when a session starts only after it', () =>
    given(waiting, engagement('10:00'))
      .when(pageview('10:05'))
      .thenRows([{ at: at('10:00') }]));

  it('holds nothing for ordinary sessions', () =>
    given(waiting, pageview('10:00'), engagement('10:05')).thenRows([]));
});
