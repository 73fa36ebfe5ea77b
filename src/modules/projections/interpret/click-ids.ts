// The parameters by which advertisers and networks recognise a click on what they showed, and what each tells of
// a visit: from whom it came, and whether the click was paid for. Only that there is one is kept and looked at.
import { CLICK_ID_PARAMETERS, type ClickIdParameter } from '../../../events/click-id-parameters.js';

export interface Click {
  /** The source it names where nothing else does. */
  readonly source: string;
  /** Others on whose pages the same advertiser's clicks begin. */
  readonly alsoFrom: readonly string[];
  /** Advertisements only. Else the network marks every link that leads away from it. */
  readonly paid: boolean;
}

const GOOGLE = [
  'YouTube',
  'Gmail',
  'DoubleClick',
  'Google Shopping',
  ...['Startpage', 'Ask.com', 'Dogpile', 'WebCrawler', 'Info', 'ZapMeta'],
];
const MICROSOFT = [
  'MSN',
  'Outlook',
  'DuckDuckGo',
  'Yahoo!',
  'AOL',
  'Ecosia',
  'Qwant',
  'Swisscows',
  'Microsoft Copilot',
];
const META = ['Instagram', 'Messenger', 'WhatsApp', 'Threads'];

const paid = (source: string, alsoFrom: readonly string[] = []): Click => ({ source, alsoFrom, paid: true });
const unpaid = (source: string, alsoFrom: readonly string[] = []): Click => ({
  source,
  alsoFrom,
  paid: false,
});

const googleAds = paid('Google', GOOGLE);
const instagram = unpaid('Instagram', ['Facebook']);
const mailchimp = unpaid('Mailchimp');

const CLICKS: Readonly<Record<ClickIdParameter, Click>> = {
  gclid: googleAds,
  gbraid: googleAds,
  wbraid: googleAds,
  gad_source: googleAds,
  gclsrc: googleAds,
  dclid: paid('DoubleClick', ['Google', 'YouTube']),
  msclkid: paid('Bing', MICROSOFT),
  yclid: paid('Yandex'),
  ttclid: paid('TikTok'),
  twclid: paid('Twitter'),
  li_fat_id: paid('LinkedIn'),
  ScCid: paid('Snapchat'),
  rdt_cid: paid('Reddit'),
  epik: paid('Pinterest'),
  qclid: paid('Quora'),
  fbclid: unpaid('Facebook', META),
  igshid: instagram,
  igsh: instagram,
  mc_cid: mailchimp,
  mc_eid: mailchimp,
};

/** Where an address has several, the first in the list of parameters holds. Null: it has none. */
export function clickOf(parameters: URLSearchParams): Click | null {
  const parameter = CLICK_ID_PARAMETERS.find((name) => parameters.has(name));
  return parameter === undefined ? null : CLICKS[parameter];
}

/** Whether the click was made where the visit is known to come from. */
export const isClickOn = ({ source, alsoFrom }: Click, name: string): boolean =>
  source === name || alsoFrom.includes(name);
