import { at, custom, engagement, given, pageview } from '../../../../test/given.js';
import { DIRECT } from '../visit-event.js';
import { sessions } from './sessions.projection.js';

const SEARCHED = { referrer: 'google.com', source: 'Google', channel: 'Organic Search' };
const NEXT_DAY_ID = '00000000000000a2';

describe('sessions', () => {
  it('writes one row with arrays for the events', () =>
    given(
      sessions,
      pageview('10:00', { page: '/home' }),
      engagement('10:01', { page: '/home', engagementMs: 4_000, scrollDepth: 70 }),
      custom('10:02', { page: '/buy', props: '{"plan":"pro"}', amount: '12.50', currency: 'EUR' }),
      pageview('10:03', { page: '/thanks', hostname: 'pay.shop.example' }),
    ).thenRows([
      {
        site: 'shop',
        partition: 3,
        started_at: at('10:00'),
        ended_at: at('10:03'),
        pageviews: 2,
        events: 3,
        bounced: false,
        entry_page: '/home',
        exit_page: '/thanks',
        entry_hostname: 'shop.example',
        exit_hostname: 'pay.shop.example',
        event_offsets: [0, 60_000, 120_000, 180_000],
        event_names: ['pageview', 'engagement', 'signup', 'pageview'],
        event_pages: ['/home', '/home', '/buy', '/thanks'],
        event_hostnames: ['shop.example', 'shop.example', 'shop.example', 'pay.shop.example'],
        event_visitors: null,
        event_interactive: null,
        event_engagement_ms: [null, 4_000, null, null],
        event_scroll_depth: [null, 70, null, null],
        event_props: '[null,null,{"plan":"pro"},null]',
        // 12,500,000 millionths as 64 bits
        event_amounts_micros: [null, null, '0000000000bebc20', null],
        event_currencies: [null, null, 'EUR', null],
      },
    ]));

  it('stores amounts exactly, negative and large ones too', () =>
    given(
      sessions,
      custom('10:00', { amount: '-0.000001', currency: 'EUR' }),
      custom('10:01', { amount: '123456789012.123457', currency: 'IDR' }),
    ).thenRows([
      { event_amounts_micros: ['ffffffffffffffff', 123_456_789_012_123_457n.toString(16).padStart(16, '0')] },
    ]));

  it('leaves out the arrays that would say the same of every event', () =>
    given(sessions, pageview('10:00'), pageview('10:01')).thenRows([
      {
        event_names: null,
        event_hostnames: null,
        event_visitors: null,
        event_interactive: null,
        event_engagement_ms: null,
        event_scroll_depth: null,
        event_props: null,
        event_amounts_micros: null,
        event_currencies: null,
      },
    ]));

  it('takes where it came from from the first event, also when that one comes late', () =>
    given(sessions, pageview('10:10'))
      .when(pageview('10:00', { origin: { ...DIRECT, ...SEARCHED } }))
      .thenRows([{ started_at: at('10:00'), ...SEARCHED }]));

  it('has no channel when it came directly', () =>
    given(sessions, pageview('10:00')).thenRows([{ source: null, channel: null }]));

  it('has no entry page when nothing was viewed', () =>
    given(sessions, custom('10:00', { page: '/buy' })).thenRows([
      { pageviews: 0, events: 1, entry_page: null, entry_hostname: null, event_hostnames: ['shop.example'] },
    ]));

  it('starts at the first event that is no engagement, and not at all without one', () => {
    given(sessions, engagement('10:00'), pageview('10:05')).thenRows([
      { started_at: at('10:05'), event_offsets: [0] },
    ]);
    given(sessions, engagement('10:00')).thenRows([]);
  });

  it('continues a session under the visitor’s next daily id, and says whose events are whose', () =>
    given(
      sessions,
      pageview('10:00'),
      pageview('10:20', { visitor: NEXT_DAY_ID, previousVisitor: '00000000000000a1' }),
    ).thenRows([
      {
        visitor: '00000000000000a1',
        other_visitor: NEXT_DAY_ID,
        pageviews: 2,
        event_visitors: ['00000000000000a1', NEXT_DAY_ID],
      },
    ]));
});
