// POST /mp/collect, Google's Measurement Protocol: servers tell what their users did. Always 204 once the events
// are durable, as its senders know it, and of what is wrong with them only /debug/mp/collect says anything.
import { Problem } from '../../../../http/problem.js';
import type { ErrorForm } from '../../../../http/route-kind.js';
import {
  type Fields,
  fieldsOf,
  identifier,
  isFields,
  LENGTHS,
  number,
  objectIn,
  text,
  wholeNumber,
} from './fields.js';
import { paidBy, propertiesOf } from './google-items.js';
import type {
  TranslatedEvent,
  Translation,
  VendorAnswer,
  VendorFormat,
  VendorRequest,
} from './vendor-format.js';

const EVENTS_MAX = 25;
const PARAMETERS_MAX = 25;
const NAME_CHARACTERS_MAX = 40;
const VALUE_CHARACTERS_MAX = 100;
const USER_PROPERTIES_MAX = 25;
const ENGAGEMENT_MS_MAX = 86_400_000;
const NAME_FORM = /^[A-Za-z]\w*$/;
const RESERVED_PREFIX = /^(_|firebase_|ga_|google_)/;
const RESERVED_NAMES = new Set([
  ...[
    'ad_activeview',
    'ad_click',
    'ad_exposure',
    'ad_query',
    'ad_reward',
    'adunit_exposure',
    'app_clear_data',
  ],
  ...[
    'app_exception',
    'app_remove',
    'app_store_refund',
    'app_update',
    'app_upgrade',
    'dynamic_link_app_open',
  ],
  ...[
    'dynamic_link_app_update',
    'dynamic_link_first_open',
    'error',
    'first_open',
    'first_visit',
    'in_app_purchase',
  ],
  ...[
    'notification_dismiss',
    'notification_foreground',
    'notification_open',
    'notification_receive',
    'os_update',
  ],
  ...['session_start', 'user_engagement'],
]);

/** It says nothing to its senders but that they may try again. */
const errors: ErrorForm = ({ status, detail, title }) => ({
  status: status === 429 || status >= 500 || status === 413 ? status : 204,
  body: detail ?? title,
  contentType: 'text/plain',
});

const EXAMPLE = {
  client_id: '7.9',
  events: [{ name: 'purchase', params: { transaction_id: 'T1', currency: 'EUR', value: 9.9 } }],
};

export const measurementProtocol: VendorFormat = {
  wire: 'measurement-protocol',
  title: 'GA4 Measurement Protocol',
  errors,
  routes: [
    {
      method: 'POST',
      paths: ['/mp/collect'],
      summary: 'receive events',
      description:
        '`measurement_id` (or `firebase_app_id`) is a site, or one of its `trackingIds`; `api_secret` a key of scope ' +
        'ingest:server. 204, whatever was sent: ask /debug/mp/collect what is wrong with it.',
      example: EXAMPLE,
      exampleQuery: { measurement_id: 'shop.example' },
      eventsMax: 1_000,
      translate,
      answer: () => ({ status: 204 }),
    },
    {
      method: 'POST',
      paths: ['/debug/mp/collect'],
      summary: 'what is wrong with events; nothing is kept',
      example: EXAMPLE,
      exampleQuery: { measurement_id: 'shop.example' },
      settings: ({ body }): VendorAnswer => ({ status: 200, body: { validationMessages: faultsOf(body) } }),
    },
  ],
};

function translate({ body, query, receivedAt }: VendorRequest): Translation {
  const sent = objectIn(body);
  const events: readonly unknown[] = Array.isArray(sent.events) ? sent.events : [];
  if (events.length === 0) throw Problem.badRequest('There is no event in the request.');
  return {
    key: query.api_secret,
    events: events.map((event) =>
      isFields(event)
        ? {
            ...eventOf(event),
            site: query.measurement_id ?? query.firebase_app_id,
            occurredAt: momentIn(event, sent, receivedAt),
            visitorId: identifier(sent.client_id ?? sent.app_instance_id, LENGTHS.visitorId),
            userId: identifier(sent.user_id, LENGTHS.userId),
            userAgent: text(sent.user_agent, 512),
            ip: text(sent.ip_override, 45),
          }
        : null,
    ),
  };
}

function eventOf(event: Fields): TranslatedEvent {
  const name = identifier(event.name, LENGTHS.name) ?? '';
  const parameters = fieldsOf(event.params);
  const engagementMs = wholeNumber(parameters.engagement_time_msec, ENGAGEMENT_MS_MAX);
  return {
    // An order is told again when it was not answered: its number says that it is the same one.
    id: name === 'purchase' ? identifier(parameters.transaction_id, LENGTHS.id) : undefined,
    name: name === 'page_view' || name === 'screen_view' ? 'pageview' : name,
    url: text(parameters.page_location, Infinity),
    referrer: text(parameters.page_referrer, LENGTHS.referrer),
    title: text(parameters.page_title, LENGTHS.title),
    language: text(parameters.language, LENGTHS.language),
    screen: text(parameters.screen_resolution, LENGTHS.screen),
    engagementMs,
    props: propertiesOf(parameters),
    revenue: paidBy(name, parameters),
  };
}

/** In microseconds, of the event or of all. */
function momentIn(event: Fields, sent: Fields, receivedAt: number): number {
  const micros = number(event.timestamp_micros ?? sent.timestamp_micros);
  return micros === undefined ? receivedAt : Math.floor(micros / 1_000);
}

interface Fault {
  readonly fieldPath: string;
  readonly description: string;
  readonly validationCode: string;
}

function faultsOf(body: string): readonly Fault[] {
  let sent: Fields;
  try {
    sent = objectIn(body);
  } catch (error) {
    return [fault('', (error as Error).message, 'VALUE_INVALID')];
  }
  const { client_id: clientId, app_instance_id: instanceId, events, user_properties: properties } = sent;
  const faults: Fault[] = [];
  if (text(clientId ?? instanceId, Infinity) === undefined) {
    faults.push(fault('client_id', 'Measurement requires a client_id.', 'VALUE_REQUIRED'));
  }
  if (Object.keys(fieldsOf(properties)).length > USER_PROPERTIES_MAX) {
    faults.push(
      fault('user_properties', `At most ${USER_PROPERTIES_MAX} are allowed.`, 'EXCEEDED_MAX_ENTITIES'),
    );
  }
  if (!Array.isArray(events) || events.length === 0) {
    return [...faults, fault('events', 'At least one event is required.', 'VALUE_REQUIRED')];
  }
  if (events.length > EVENTS_MAX) {
    faults.push(fault('events', `At most ${EVENTS_MAX} events are allowed.`, 'EXCEEDED_MAX_ENTITIES'));
  }
  events.forEach((event, index) => faults.push(...faultsOfEvent(fieldsOf(event), `events[${index}]`)));
  return faults;
}

function faultsOfEvent({ name, params }: Fields, path: string): readonly Fault[] {
  const faults: Fault[] = [];
  if (typeof name !== 'string' || name === '') {
    faults.push(fault(`${path}.name`, 'An event requires a name.', 'VALUE_REQUIRED'));
  } else if (RESERVED_PREFIX.test(name) || RESERVED_NAMES.has(name)) {
    faults.push(fault(`${path}.name`, 'The name is reserved.', 'NAME_RESERVED'));
  } else if (!NAME_FORM.test(name) || name.length > NAME_CHARACTERS_MAX) {
    faults.push(
      fault(
        `${path}.name`,
        `A name is a letter, then letters, digits or _, at most ${NAME_CHARACTERS_MAX}.`,
        'NAME_INVALID',
      ),
    );
  }
  const parameters = Object.entries(fieldsOf(params));
  if (parameters.length > PARAMETERS_MAX) {
    faults.push(
      fault(`${path}.params`, `At most ${PARAMETERS_MAX} parameters are allowed.`, 'EXCEEDED_MAX_ENTITIES'),
    );
  }
  for (const [key, value] of parameters) {
    const at = `${path}.params.${key}`;
    if (RESERVED_PREFIX.test(key)) faults.push(fault(at, 'The name is reserved.', 'NAME_RESERVED'));
    else if (!NAME_FORM.test(key) || key.length > NAME_CHARACTERS_MAX) {
      faults.push(
        fault(
          at,
          `A name is a letter, then letters, digits or _, at most ${NAME_CHARACTERS_MAX}.`,
          'NAME_INVALID',
        ),
      );
    }
    const isLong =
      typeof value === 'string' && value.length > VALUE_CHARACTERS_MAX && !key.startsWith('page_');
    if (isLong)
      faults.push(
        fault(at, `A value has at most ${VALUE_CHARACTERS_MAX} characters.`, 'VALUE_OUT_OF_BOUNDS'),
      );
  }
  return [...faults, ...faultsOfMoney(fieldsOf(params), path)];
}

function faultsOfMoney({ value, currency }: Fields, path: string): readonly Fault[] {
  if (value === undefined) return [];
  if (number(value) === undefined) {
    return [fault(`${path}.params.value`, 'The value must be a number.', 'VALUE_INVALID')];
  }
  if (currency === undefined) {
    return [fault(`${path}.params.currency`, 'A value requires a currency.', 'VALUE_REQUIRED')];
  }
  const isCode = typeof currency === 'string' && /^[A-Za-z]{3}$/.test(currency);
  return isCode
    ? []
    : [fault(`${path}.params.currency`, 'The currency must be an ISO 4217 code.', 'VALUE_INVALID')];
}

const fault = (fieldPath: string, description: string, validationCode: string): Fault => ({
  fieldPath,
  description,
  validationCode,
});
