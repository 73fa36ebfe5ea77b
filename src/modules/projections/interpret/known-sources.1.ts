// Sources of traffic that have a name, and what kind of thing each is; the kind decides the channel.
// Facts about the web, gathered by hand: to teach the projector a source, add a line here.
//
// A source's words: `google.*` is that name under any public suffix, with every host below it, and the
// tag `google`; `t.co` is that host with every host below it; `fb` is a tag only, as campaigns use it.
// Where two words fit a host the longer one wins: mail.google.com is Gmail, not Google.
import { getDomain } from 'tldts';

export type SourceKind = 'search' | 'social' | 'video' | 'shopping' | 'email' | 'assistant' | 'other';

export interface KnownSource {
  readonly name: string;
  readonly kind: SourceKind;
}

export const SOURCES: Readonly<Record<SourceKind, Readonly<Record<string, string>>>> = {
  search: {
    Google: 'google.*',
    Bing: 'bing.*',
    DuckDuckGo: 'duckduckgo.* ddg.gg',
    'Yahoo!': 'yahoo.*',
    Yandex: 'yandex.* ya.ru',
    Baidu: 'baidu.*',
    Ecosia: 'ecosia.*',
    Qwant: 'qwant.*',
    Startpage: 'startpage.*',
    Naver: 'naver.*',
    Brave: 'search.brave.com brave',
    Kagi: 'kagi.*',
    AOL: 'aol.*',
    'Ask.com': 'ask.com',
    Seznam: 'seznam.*',
    Sogou: 'sogou.*',
    '360 Search': 'so.com',
    Daum: 'daum.*',
    'Cốc Cốc': 'coccoc.*',
    Rambler: 'rambler.*',
    Mojeek: 'mojeek.*',
    Swisscows: 'swisscows.*',
    MetaGer: 'metager.*',
    Presearch: 'presearch.*',
    Dogpile: 'dogpile.*',
    Lycos: 'lycos.*',
    MSN: 'msn.com',
    'Petal Search': 'petalsearch.*',
    Lilo: 'lilo.org',
    Marginalia: 'marginalia-search.com',
  },
  social: {
    Facebook: 'facebook.* fb.com fb.me fb',
    Messenger: 'messenger.com m.me',
    Instagram: 'instagram.* ig',
    Threads: 'threads.net threads.com threads',
    LinkedIn: 'linkedin.* lnkd.in',
    Twitter: 'twitter.* t.co x.com x',
    Bluesky: 'bsky.app bsky.social bluesky bsky',
    Mastodon: 'mastodon.*',
    Reddit: 'reddit.* redd.it',
    Pinterest: 'pinterest.* pin.it',
    TikTok: 'tiktok.* tt',
    Snapchat: 'snapchat.* snap',
    WhatsApp: 'whatsapp.* wa.me',
    Telegram: 'telegram.* t.me',
    Discord: 'discord.* discordapp.com',
    Tumblr: 'tumblr.*',
    Flickr: 'flickr.*',
    Quora: 'quora.*',
    Medium: 'medium.*',
    'Hacker News': 'news.ycombinator.com ycombinator.com hackernews hn',
    Lobsters: 'lobste.rs',
    'Product Hunt': 'producthunt.*',
    Xing: 'xing.*',
    VK: 'vk.com vkontakte.* vk',
    Odnoklassniki: 'ok.ru',
    Weibo: 'weibo.*',
    WeChat: 'wechat.* weixin.qq.com',
    QZone: 'qzone.qq.com',
    Douban: 'douban.*',
    Zhihu: 'zhihu.*',
    LINE: 'line.me',
    KakaoTalk: 'kakao.*',
    Hatena: 'hatena.*',
    Mixi: 'mixi.jp',
    Nextdoor: 'nextdoor.*',
    Meetup: 'meetup.com',
    DeviantArt: 'deviantart.*',
    Viber: 'viber.*',
    Gab: 'gab.com',
    'Truth Social': 'truthsocial.*',
  },
  video: {
    YouTube: 'youtube.* youtu.be yt',
    Vimeo: 'vimeo.*',
    Dailymotion: 'dailymotion.* dai.ly',
    Twitch: 'twitch.*',
    Bilibili: 'bilibili.* b23.tv',
    Youku: 'youku.*',
    iQIYI: 'iqiyi.*',
    Niconico: 'nicovideo.*',
    Rutube: 'rutube.*',
    Rumble: 'rumble.com rumble',
    Odysee: 'odysee.*',
    PeerTube: 'peertube.*',
    Kick: 'kick.com',
    Wistia: 'wistia.*',
    Netflix: 'netflix.*',
    Hulu: 'hulu.com',
    'Disney+': 'disneyplus.*',
    TED: 'ted.com',
  },
  shopping: {
    Amazon: 'amazon.* amzn.to amzn',
    eBay: 'ebay.*',
    Etsy: 'etsy.*',
    AliExpress: 'aliexpress.*',
    Alibaba: 'alibaba.*',
    Taobao: 'taobao.*',
    Tmall: 'tmall.*',
    'JD.com': 'jd.com',
    Temu: 'temu.*',
    Shein: 'shein.*',
    Walmart: 'walmart.*',
    Target: 'target.com',
    'Best Buy': 'bestbuy.*',
    Newegg: 'newegg.*',
    'Google Shopping': 'shopping.google.com googleshopping google-shopping google_shopping',
    'Yahoo! Shopping': 'shopping.yahoo.com shopping.yahoo.co.jp',
    Shop: 'shop.app',
    'Mercado Libre': 'mercadolibre.* mercadolivre.*',
    Shopee: 'shopee.*',
    Lazada: 'lazada.*',
    Rakuten: 'rakuten.*',
    Flipkart: 'flipkart.*',
    Coupang: 'coupang.*',
    Allegro: 'allegro.pl allegro',
    Zalando: 'zalando.*',
    OTTO: 'otto.de',
    Kaufland: 'kaufland.*',
    bol: 'bol.com',
    Cdiscount: 'cdiscount.*',
    idealo: 'idealo.*',
    Geizhals: 'geizhals.*',
    'billiger.de': 'billiger.de',
    PriceRunner: 'pricerunner.*',
    Kelkoo: 'kelkoo.*',
    Shopzilla: 'shopzilla.*',
    Ozon: 'ozon.ru ozon',
    Wildberries: 'wildberries.*',
    Trendyol: 'trendyol.*',
    Hepsiburada: 'hepsiburada.*',
  },
  email: {
    Gmail: 'mail.google.com gmail.*',
    Outlook: 'outlook.live.com outlook.office.com outlook.office365.com outlook.com outlook hotmail.*',
    'Yahoo! Mail': 'mail.yahoo.com mail.yahoo.co.jp ymail.com',
    'AOL Mail': 'mail.aol.com',
    'Yandex Mail': 'mail.yandex.ru mail.yandex.com',
    'Mail.ru': 'e.mail.ru',
    'Proton Mail': 'mail.proton.me protonmail.*',
    Tuta: 'tutanota.* app.tuta.com',
    Fastmail: 'fastmail.*',
    'iCloud Mail': 'mail.icloud.com',
    'Zoho Mail': 'mail.zoho.com mail.zoho.eu',
    GMX: 'gmx.*',
    'WEB.DE': 'web.de',
    'QQ Mail': 'mail.qq.com',
    'Naver Mail': 'mail.naver.com',
    Mailchimp: 'mailchimp.* list-manage.com',
    Brevo: 'brevo.* sendinblue.*',
    Klaviyo: 'klaviyo.*',
    SendGrid: 'sendgrid.*',
    MailerLite: 'mailerlite.*',
    'Constant Contact': 'constantcontact.*',
  },
  assistant: {
    ChatGPT: 'chatgpt.* openai.*',
    Claude: 'claude.ai claude',
    Perplexity: 'perplexity.*',
    Gemini: 'gemini.google.com bard.google.com gemini bard',
    NotebookLM: 'notebooklm.google.com notebooklm',
    'Microsoft Copilot':
      'copilot.microsoft.com copilot.com copilot.cloud.microsoft m365.cloud.microsoft copilot',
    DeepSeek: 'deepseek.*',
    Grok: 'grok.com grok',
    Mistral: 'mistral.ai mistral lechat',
    'Meta AI': 'meta.ai',
    Qwen: 'qwen.ai qwen',
    Kimi: 'kimi.com kimi.moonshot.cn kimi',
    Doubao: 'doubao.*',
    Poe: 'poe.com',
    'You.com': 'you.com',
    Phind: 'phind.*',
    iAsk: 'iask.ai iask',
    'Character.AI': 'character.ai',
    Pi: 'pi.ai',
  },
  other: {
    GitHub: 'github.*',
    GitLab: 'gitlab.*',
    Wikipedia: 'wikipedia.*',
    'Stack Overflow': 'stackoverflow.*',
    Microsoft: 'live.com',
    'Google Docs': 'docs.google.com drive.google.com',
    'Google Accounts': 'accounts.google.com',
    'Google Translate': 'translate.google.com translate.goog',
  },
};

const BY_HOST = new Map<string, KnownSource>();
const BY_LABEL = new Map<string, KnownSource>();
const BY_TAG = new Map<string, KnownSource>();

for (const kind of Object.keys(SOURCES) as SourceKind[]) {
  for (const [name, words] of Object.entries(SOURCES[kind])) {
    const source: KnownSource = { name, kind };
    BY_TAG.set(name.toLowerCase(), source);
    for (const word of words.split(' ')) {
      if (word.endsWith('.*')) {
        BY_LABEL.set(word.slice(0, -2), source);
        BY_TAG.set(word.slice(0, -2), source);
      } else (word.includes('.') ? BY_HOST : BY_TAG).set(word, source);
    }
  }
}

/** @param host lower case, without port */
export function sourceOfHost(host: string): KnownSource | undefined {
  const domain = getDomain(host, { allowPrivateDomains: false });
  if (domain === null) return undefined;
  for (let own = host; ; own = own.slice(own.indexOf('.') + 1)) {
    const source = BY_HOST.get(own);
    if (source !== undefined) return source;
    if (own.length <= domain.length) return BY_LABEL.get(domain.slice(0, domain.indexOf('.')));
  }
}

/** @param tag lower case, as in utm_source: a short name or a host */
export const sourceOfTag = (tag: string): KnownSource | undefined =>
  BY_TAG.get(tag) ?? (tag.includes('.') ? sourceOfHost(tag) : undefined);
