// How a visit was won: the rules of docs/reference/channels.md, first match wins, case ignored. They
// follow Google's published default channel group, whose names people know, with AI Assistants beside it.
import type { SourceKind } from './named-sources.js';

/** Null: Direct. */
export type Channel =
  | 'Cross-network'
  | 'Paid Shopping'
  | 'Paid Search'
  | 'Paid Social'
  | 'Paid Video'
  | 'Display'
  | 'Paid Other'
  | 'Organic Shopping'
  | 'Organic Social'
  | 'Organic Video'
  | 'Organic Search'
  | 'AI Assistants'
  | 'Email'
  | 'Affiliates'
  | 'Audio'
  | 'SMS'
  | 'Mobile Push Notifications'
  | 'Referral'
  | null;

export interface Acquisition {
  /** As it is shown; null when there is none. */
  readonly source: string | null;
  readonly kind: SourceKind | null;
  /** The source was tagged by an advertiser's name for it, such as `fb-ads`, or the click was one that it paid for. */
  readonly advertised: boolean;
  readonly medium: string | null;
  readonly campaign: string | null;
}

const PAID_MEDIUM = /^(?:.*cp.*|ppc|retargeting|paid.*)$/s;
const SHOP_CAMPAIGN = /(?:[^a-df-z]|^)shop|shopping/;
const EMAIL = /e[-_ ]?mail|newsletter/;
const AI_MEDIUMS = new Set(['ai', 'ai-assistant', 'ai_assistant', 'ai assistant', 'llm', 'chatbot']);
const DISPLAY_MEDIUMS = new Set(['display', 'banner', 'expandable', 'interstitial', 'cpm']);
const SOCIAL_MEDIUMS = new Set([
  'social',
  'social-network',
  'social-media',
  'sm',
  'social network',
  'social media',
]);
const REFERRAL_MEDIUMS = new Set(['referral', 'app', 'link']);

export function channelOf(acquisition: Acquisition): Channel {
  const { kind } = acquisition;
  const source = acquisition.source?.toLowerCase() ?? '';
  const medium = acquisition.medium?.toLowerCase() ?? '';
  const campaign = acquisition.campaign?.toLowerCase() ?? '';
  if (campaign.includes('cross-network')) return 'Cross-network';
  return (
    paidChannel(acquisition, { medium, campaign }) ??
    organicChannel(kind, { medium, campaign }) ??
    sentChannel(kind, { source, medium }) ??
    (source !== '' || REFERRAL_MEDIUMS.has(medium) ? 'Referral' : null)
  );
}

interface LowerCase {
  readonly source: string;
  readonly medium: string;
  readonly campaign: string;
}

function paidChannel(
  { kind, advertised }: Acquisition,
  { medium, campaign }: Pick<LowerCase, 'medium' | 'campaign'>,
): Channel {
  const paidMedium = PAID_MEDIUM.test(medium);
  const paid = paidMedium || advertised;
  if (kind === 'shopping' ? paid : paidMedium && SHOP_CAMPAIGN.test(campaign)) return 'Paid Shopping';
  if (kind === 'search' && paid) return 'Paid Search';
  if (kind === 'social' && paid) return 'Paid Social';
  if (kind === 'video' && paid) return 'Paid Video';
  if (DISPLAY_MEDIUMS.has(medium)) return 'Display';
  return paid ? 'Paid Other' : null;
}

function organicChannel(
  kind: SourceKind | null,
  { medium, campaign }: Pick<LowerCase, 'medium' | 'campaign'>,
): Channel {
  if (kind === 'shopping' || SHOP_CAMPAIGN.test(campaign)) return 'Organic Shopping';
  if (kind === 'social' || SOCIAL_MEDIUMS.has(medium)) return 'Organic Social';
  if (kind === 'video' || medium.includes('video')) return 'Organic Video';
  if (kind === 'search') return 'Organic Search';
  if (kind === 'assistant' || AI_MEDIUMS.has(medium)) return 'AI Assistants';
  return medium === 'organic' ? 'Organic Search' : null;
}

function sentChannel(
  kind: SourceKind | null,
  { source, medium }: Pick<LowerCase, 'source' | 'medium'>,
): Channel {
  if (kind === 'email' || EMAIL.test(source) || EMAIL.test(medium)) return 'Email';
  if (medium === 'affiliate' || medium === 'affiliates') return 'Affiliates';
  if (medium === 'audio') return 'Audio';
  if (medium === 'sms' || source === 'sms') return 'SMS';
  const pushed = medium.endsWith('push') || medium.includes('mobile') || medium.includes('notification');
  return pushed || source === 'firebase' ? 'Mobile Push Notifications' : null;
}
