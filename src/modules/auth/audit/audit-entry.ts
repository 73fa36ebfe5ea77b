// What of an event of the event store an operator is shown. Nothing unless it is listed here: digests and
// fingerprints are not, and what an event of a newer version holds nobody here can judge.
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

export interface AuditEntry {
  readonly at: Date;
  /** Id of the key, or what else acted; null where nobody was named. */
  readonly by: string | null;
  /** The network that the request came from, not to the single address; null where none was noted. */
  readonly from: string | null;
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

export function auditEntry({
  recordedAt,
  stream,
  revision,
  type,
  data,
  metadata,
}: RecordedEvent): AuditEntry {
  const { by, from } = metadata ?? {};
  const shown: readonly string[] = Object.hasOwn(SHOWN, type) ? SHOWN[type as keyof typeof SHOWN] : [];
  return {
    ...{ at: recordedAt, stream, revision, type },
    by: typeof by === 'string' ? by : null,
    from: typeof from === 'string' ? from : null,
    data: Object.fromEntries(shown.filter((field) => field in data).map((field) => [field, data[field]])),
  };
}
