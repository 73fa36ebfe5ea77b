// What of an event of the event store the audit trail shows. Nothing unless it is listed here: digests and
// fingerprints are not, and what an event of a newer version holds nobody here can judge. The trail is a table
// that is derived from this: after a change, raise DEFINITION in read-models/control-read-models.ts.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { DefinitionEvent } from '../../../events/definition.events.js';
import type { DeadLetterEvent } from '../../../events/dead-letter.events.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import type { KeyEvent } from '../../../events/key.events.js';
import type { MerchantEvent } from '../../../events/merchant.events.js';
import type { QuotaEvent } from '../../../events/quota.events.js';
import type { EmailEvent, PersonEvent, SignInEvent } from '../../../events/person.events.js';
import type { ReadModelsEvent } from '../../../events/read-models.events.js';
import type { SharedLinkEvent } from '../../../events/shared-link.events.js';
import type { SiteEvent, SiteNameEvent } from '../../../events/site.events.js';
import { CALLER_KINDS, type CallerKind } from '../origin.js';

export interface AuditEntry {
  readonly at: Date;
  /** Id of the key, `person-{id}`, or what else acted; null where nobody was named. */
  readonly by: string | null;
  readonly kind: CallerKind | null;
  /** Id of the request; null: none asked for it. */
  readonly request: string | null;
  readonly country: string | null;
  readonly client: string | null;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type AuditedEvent =
  | InstallationEvent
  | MerchantEvent
  | QuotaEvent
  | SiteEvent
  | SiteNameEvent
  | KeyEvent
  | SharedLinkEvent
  | PersonEvent
  | EmailEvent
  | SignInEvent
  | DefinitionEvent
  | DeadLetterEvent
  | ReadModelsEvent;

const SITE_SETTINGS = [
  ...(['site', 'domain', 'aliases', 'name', 'timezone', 'currency', 'weekStart', 'trackingIds'] as const),
  ...(['consentMode', 'allowedOrigins', 'hostnames', 'queryParameters', 'exclusions', 'spread'] as const),
];

const LINK_SETTINGS = ['link', 'name', 'embeddable', 'allowedHosts', 'expiresAt'] as const;
const DEFINED = ['site', 'id'] as const;
const GOAL = [...DEFINED, 'name', 'eventName', 'pagePath', 'scrollDepth', 'props', 'currency'] as const;
const SEGMENT = [...DEFINED, 'name', 'filters'] as const;
const FUNNEL = [...DEFINED, 'name', 'steps', 'windowSeconds'] as const;
const ANNOTATION = [...DEFINED, 'from', 'to', 'text'] as const;

/** The fields that are shown of each; every event of the vocabulary must be listed. */
const SHOWN: {
  readonly [Type in AuditedEvent['type']]: readonly (keyof Extract<AuditedEvent, { type: Type }>['data'])[];
} = {
  OperatorKeyIssued: ['prefix'],
  PepperChosen: [],
  MerchantRegistered: ['merchant', 'name'],
  MerchantRenamed: ['merchant', 'name'],
  MemberJoined: ['merchant', 'person', 'role', 'invitation'],
  MemberRoleChanged: ['merchant', 'person', 'role'],
  MemberLeft: ['merchant', 'person'],
  InvitationSent: ['merchant', 'invitation', 'role', 'expiresAt'],
  InvitationWithdrawn: ['merchant', 'invitation'],
  MerchantDeleted: ['merchant', 'members'],
  MerchantErased: ['merchant', 'rows'],
  QuotaSet: ['merchant', 'eventsPerMonth', 'gracePercent', 'policy', 'samplePercent'],
  QuotaRemoved: ['merchant', 'eventsPerMonth', 'gracePercent', 'policy'],
  QuotaWarned: ['merchant', 'month', 'percent', 'events', 'eventsPerMonth'],
  QuotaExceeded: ['merchant', 'month', 'policy', 'from', 'to', 'samplePercent', 'eventsMax', 'events'],
  QuotaRevealed: ['merchant', 'month'],
  SiteCreated: [...SITE_SETTINGS, 'merchant'],
  SiteChanged: SITE_SETTINGS,
  SiteDeleted: ['site'],
  DataErased: ['site', 'rows'],
  DomainClaimed: ['domain', 'site'],
  DomainReleased: ['domain', 'site'],
  TrackingIdClaimed: ['trackingId', 'site'],
  TrackingIdReleased: ['trackingId', 'site'],
  KeyIssued: ['key', 'merchant', 'site', 'name', 'scopes', 'prefix', 'expiresAt', 'rotatedFrom'],
  KeyChanged: ['key', 'name', 'expiresAt'],
  KeyRotated: ['key', 'successor', 'expiresAt'],
  KeyRevoked: ['key'],
  SharedLinkCreated: [...LINK_SETTINGS, 'merchant', 'site'],
  SharedLinkChanged: LINK_SETTINGS,
  SharedLinkDeleted: ['link'],
  PersonRegistered: ['person'],
  PersonRenamed: ['person'],
  EmailVerified: ['person'],
  EmailChanged: ['person'],
  PasswordChanged: ['person', 'byMail'],
  PasswordRehashed: ['person'],
  TotpEnabled: ['person'],
  TotpDisabled: ['person'],
  RecoveryCodeUsed: ['person'],
  SignedOutEverywhere: ['person'],
  PersonErased: ['person'],
  EmailClaimed: ['person'],
  EmailReleased: ['person'],
  SignedIn: ['person', 'signIn'],
  SignedOut: ['person', 'signIn'],
  RefreshTokenReused: ['person', 'signIn'],
  GoalCreated: GOAL,
  GoalChanged: GOAL,
  GoalDeleted: DEFINED,
  SegmentCreated: SEGMENT,
  SegmentChanged: SEGMENT,
  SegmentDeleted: DEFINED,
  FunnelCreated: FUNNEL,
  FunnelChanged: FUNNEL,
  FunnelDeleted: DEFINED,
  AnnotationCreated: ANNOTATION,
  AnnotationChanged: ANNOTATION,
  AnnotationDeleted: DEFINED,
  DeadLetterReplayRequested: ['letter', 'failedAt'],
  DeadLetterDeletionRequested: ['letter', 'failedAt'],
  ReadModelsFounded: ['version', 'definition', 'fingerprint'],
  RebuildRequested: ['rebuild', 'projection', 'version', 'definition', 'fingerprint', 'scope', 'source'],
  RebuildStarted: ['rebuild'],
  RebuildPaused: ['rebuild'],
  RebuildResumed: ['rebuild'],
  RebuildCancelled: ['rebuild'],
  RebuildFailed: ['rebuild', 'error'],
  RebuildCaughtUp: ['rebuild'],
  VersionsCompared: ['projection', 'a', 'b', 'differing', 'tolerance'],
  VersionPromoted: ['version', 'previous', 'forced'],
  VersionRolledBack: ['version', 'previous'],
  VersionRetired: ['version'],
};

export const AUDITED_TYPES = Object.keys(SHOWN);

export function auditEntry(event: RecordedEvent): AuditEntry {
  const { recordedAt, stream, revision, type, data, metadata = {} } = event;
  const shown: readonly string[] = Object.hasOwn(SHOWN, type) ? SHOWN[type as keyof typeof SHOWN] : [];
  const { kind } = metadata;
  return {
    ...{ at: recordedAt, stream, revision, type },
    by: textOf(metadata['by']),
    kind: CALLER_KINDS.find((one) => one === kind) ?? null,
    request: textOf(metadata['request']),
    country: textOf(metadata['country']),
    client: textOf(metadata['client']),
    data: Object.fromEntries(shown.filter((field) => field in data).map((field) => [field, data[field]])),
  };
}

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
