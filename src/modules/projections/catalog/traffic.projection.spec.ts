import { at, custom, engagement, given, pageview } from '../../../../test/given.js';
import { traffic } from './traffic.projection.js';

const BOT = {
  browser: null,
  browserVersion: null,
  os: null,
  osVersion: null,
  device: null,
  screen: null,
  language: null,
  bot: true,
};

describe('traffic', () => {
  it('counts a single pageview as a bounced session of no duration', () =>
    given(traffic, pageview('10:00')).thenRows([
      {
        hour: at('10:00'),
        pageviews: 1,
        events: 1,
        sessions_started: 1,
        sessions_active: 1,
        bounces_started: 1,
        bounces_active: 1,
        duration_started_ms: 0,
        visitors: 1,
      },
    ]));

  it('takes the bounce back when a second page is seen', () =>
    given(traffic, pageview('10:00'))
      .when(pageview('10:02'))
      .thenRows([
        { pageviews: 2, sessions_started: 1, bounces_started: 0, duration_started_ms: 120_000, visitors: 1 },
      ]));

  it('joins two sessions when a late event falls between them', () =>
    given(traffic, pageview('10:00'), pageview('10:50'))
      .when(pageview('10:25'))
      .thenRows([
        {
          hour: at('10:00'),
          pageviews: 3,
          sessions_started: 1,
          bounces_started: 0,
          duration_started_ms: 3_000_000,
          visitors: 1,
        },
      ]));

  it('counts a session as started in one hour and as active in every hour it spans', () =>
    given(traffic, pageview('10:50'), pageview('11:10'), pageview('11:40'), pageview('12:05')).thenRows([
      {
        hour: at('10:00'),
        pageviews: 1,
        sessions_started: 1,
        sessions_active: 1,
        duration_active_ms: 4_500_000,
      },
      { hour: at('11:00'), pageviews: 2, sessions_started: 0, sessions_active: 1, duration_started_ms: 0 },
      {
        hour: at('12:00'),
        pageviews: 1,
        sessions_started: 0,
        sessions_active: 1,
        duration_active_ms: 4_500_000,
      },
    ]));

  it('moves a session to its new hour when an earlier event comes late, and leaves nothing behind', () =>
    given(traffic, pageview('11:05'))
      .when(pageview('10:50'))
      .thenRows([
        { hour: at('10:00'), sessions_started: 1, sessions_active: 1, visitors: 1 },
        { hour: at('11:00'), sessions_started: 0, sessions_active: 1, visitors: 1 },
      ]));

  it('ends a bounce by an interactive custom event and not by one that is not', () => {
    given(traffic, pageview('10:00'), custom('10:01')).thenRows([{ events: 2, bounces_started: 0 }]);
    given(traffic, pageview('10:00'), custom('10:01', { interactive: false })).thenRows([
      { events: 2, bounces_started: 1 },
    ]);
  });

  it('counts no engagement, neither as an event nor in the duration', () =>
    given(traffic, pageview('10:00'), engagement('10:20'), engagement('11:10')).thenRows([
      { hour: at('10:00'), pageviews: 1, events: 1, bounces_started: 1, duration_started_ms: 0 },
    ]));

  it('counts bots apart', () =>
    given(
      traffic,
      pageview('10:00'),
      pageview('10:00', { visitor: '00000000000000b0', client: BOT }),
    ).thenRows([
      { bot: false, pageviews: 1, visitors: 1 },
      { bot: true, pageviews: 1, visitors: 1 },
    ]));

  it('counts a visitor of two sessions in one hour once', () =>
    given(traffic, pageview('10:00'), pageview('10:45')).thenRows([{ sessions_started: 2, visitors: 1 }]));
});
