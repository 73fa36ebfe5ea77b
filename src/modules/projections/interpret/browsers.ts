// Which program shows the page, by the words of its user-agent string. First match wins: what stands inside
// another's string (an app's browser in Chrome's, Chrome in Edge's) comes before it. Only names listed here
// are ever given, so that no client can invent one.

export interface NamedVersion {
  readonly name: string;
  /** Its first number. */
  readonly version: string | null;
}

/** Name and where its version stands, if anywhere. */
type Rule = readonly [name: string, pattern: RegExp];

/** Apps that show pages themselves. */
const APPS: readonly Rule[] = [
  ['Instagram', /\bInstagram(?: (\d+))?/],
  ['Threads', /\bBarcelona (\d+)/],
  [
    'Messenger',
    /\bFBAN\/Messenger.*?FBAV\/(\d+)|\bFB_IAB\/(?:Orca|MESSENGER).*?FBAV\/(\d+)|\bMessengerForiOS/,
  ],
  ['Facebook', /\bFB_IAB\/.*?FBAV\/(\d+)|\bFBAV\/(\d+)|\bFBAN\/|\bFB_IAB\/|\bMetaIAB Facebook/],
  ['TikTok', /\b(?:musical_ly|trill)_(\d+)|\bBytedanceWebview\b|\bTikTok(?:\/(\d+))?/],
  ['Snapchat', /\bSnapchat[ /](\d+)/],
  ['Pinterest', /\[Pinterest\/(?:iOS|Android)\]|\bPinterest for (?:iOS|Android)(?:\/(\d+))?/],
  ['LinkedIn', /\[?LinkedInApp\]?(?:\/(\d+))?/],
  ['Twitter', /\bTwitter for (?:iPhone|iPad|Android)(?:\/(\d+))?|\bTwitterAndroid/],
  ['Reddit', /\bReddit\/(?:Version )?(\d+)|\bRedditAndroid/],
  ['WeChat', /\bMicroMessenger\/(\d+)/],
  ['Weibo', /\b__weibo__(\d+)|\bWeibo \(/],
  ['Alipay', /\bAlipayClient\/(\d+)/],
  ['DingTalk', /\bDingTalk\/(\d+)/],
  ['LINE', /\bLine\/(\d+)/],
  ['KakaoTalk', /\bKAKAOTALK(?:[ /](\d+))?/],
  ['NAVER', /\bNAVER\(inapp; search; \d+; (\d+)/],
  ['Daum', /\bDaumApps\/(\d+)/],
  ['Zalo', /\bZalo\b.*?\/(\d+)|\bZalo (?:iOS|android)/],
  ['Telegram', /\bTelegram-(?:Android|iOS)\/(\d+)/],
  ['Google App', /\bGSA\/(\d+)/],
  ['Bing', /\bBingSapphire\/(\d+)|\bBingWeb\/(\d+)|\bbingipadclient\b/],
  ['Baidu', /\b(?:baiduboxapp|BaiduHD|BIDUBrowser|baidubrowser|bdbrowser(?:_i18n)?)(?:[ /](\d+))?/i],
  ['QQ', / QQ\/(\d+)/],
  ['Slack', /\bSlack(?:_SSB)?\/(\d+)/],
  ['Discord', /\bDiscord\/(\d+)|\bdiscord\/(\d+)/],
  ['Teams', /\bTeams\/(\d+)/],
];

/** Built on the engine of another, whose name their strings carry too. */
const DERIVED: readonly Rule[] = [
  ['DuckDuckGo', /\b(?:DuckDuckGo|Ddg)\/(\d+)/],
  ['Opera Mini', /\bOpera Mini\/(?:att\/)?(\d+)|\bOPiOS\/(\d+)/],
  ['Opera Touch', /\bOPT\/(\d+)/],
  ['Opera GX', /\b(?:OPX|OPRGX)\/(\d+)/],
  ['Opera Coast', /\bCoast\/(\d+)/],
  ['Opera', /\bOPR\/(\d+)|\bOpera\/.*Version\/(\d+)|\bOpera[ /](\d+)/],
  ['Microsoft Edge', /\b(?:Edge?|EdgA|EdgiOS)\/(\d+)/],
  ['Meta Quest Browser', /\bOculusBrowser\/(\d+)/],
  ['Samsung Internet', /\bSamsungBrowser\/(\d+)/],
  ['Yandex Browser', /\b(?:YaBrowser|YaApp_\w+|YaSearchBrowser|YandexSearch)\/(\d+)/],
  ['Vivaldi', /\bVivaldi\/(\d+)/],
  ['Brave', /\bBrave(?: Chrome)?\/(\d+)/],
  ['Whale', /\bWhale\/(\d+)/],
  ['UC Browser', /\b(?:UC ?Browser|UCWEB|UBrowser|UCMini)\/?(\d+)/],
  ['QQ Browser', /\bM?QQBrowser(?:Lite|Mini)?\/(\d+)/],
  ['MIUI Browser', /\bMiuiBrowser\/(\d+)/],
  ['Mint Browser', /\bMint Browser\/(\d+)/],
  ['Huawei Browser', /\bHuaweiBrowser\/(\d+)/],
  ['vivo Browser', /\bVivoBrowser\/(\d+)/],
  ['HeyTap Browser', /\b(?:HeyTap|Oppo)Browser\/(\d+)/],
  ['Cốc Cốc', /\bcoc_coc_browser\/(\d+)/],
  ['Sogou Explorer', /\bMetaSr(?: (\d+))?|\bSogouMobileBrowser\/(\d+)/],
  ['360 Browser', /\b(?:Qihoo|QH)Browser\/(\d+)|\b360[SE]E\b|\bQIHU/],
  ['Liebao', /\bLBBROWSER\b|\bLieBaoFast\/(\d+)/],
  ['2345 Explorer', /\b2345(?:Explorer|chrome)[ /]v?(\d+)/],
  ['Silk', /\bSilk\/(\d+)/],
  ['Puffin', /\bPuffin\/(\d+)/],
  ['Ecosia', /\bEcosia (?:ios|android)@(\d+)/],
  ['Aloha', /\bAlohaBrowser\/(\d+)/],
  ['Avast Secure Browser', /\bAvast\/(\d+)/],
  ['AVG Secure Browser', /\bAVG\/(\d+)/],
  ['Avira Secure Browser', /\bAvira\/(\d+)/],
  ['Iron', /\bIron\/(\d+)/],
  ['Iridium', /\bIridium\/(\d+)/],
  ['Comodo Dragon', /\bComodo_Dragon\/(\d+)/],
  ['Slimjet', /\bSlim(?:jet|Browser|Boat)?\/(\d+)/],
  ['Maxthon', /\b(?:Maxthon|MxBrowser|MXiOS)(?:[ /](\d+))?/],
  ['Sleipnir', /\bSleipnir\/(\d+)/],
  ['Lunascape', /\bLunascape[ /](\d+)/],
  ['Dolphin', /\bDol(?:ph|f)in[ /](?:HD\/)?(\d+)/],
  ['Falkon', /\bFalkon\/(\d+)/],
  ['QupZilla', /\bQupZilla\/(\d+)/],
  ['Konqueror', /\bkonqueror\/(\d+)/i],
  ['GNOME Web', /\bEpiphany\/(\d+)/],
  ['Midori', /\bMidori\/(\d+)/],
  ['Arora', /\bArora\/(\d+)/],
  ['RockMelt', /\bRockMelt\/(\d+)/],
  ['OmniWeb', /\bOmniWeb\/v?(\d+)/],
  ['iCab', /\biCab[ /](\d+)/],
  ['Sailfish Browser', /\bSailfishBrowser\/(\d+)/],
  ['Nokia Browser', /\bNokiaBrowser\/(\d+)|\bBrowserNG\/(\d+)/],
  ['Tesla', /\b(?:Tesla|QtCarBrowser)\b/],
  ['PlayStation', /\bPLAYSTATION|\bPlayStation/],
  ['Kindle', /\bKindle\/(\d+)/],
  ['NetFront', /\bNetFront\/(\d+)|\bNF\/(\d+)/],
  ['Electron', /\bElectron\/(\d+)/],
  ['SeaMonkey', /\bSeaMonkey\/(\d+)/],
  ['Pale Moon', /\bPaleMoon\/(\d+)/],
  ['Waterfox', /\bWaterfox\/(\d+)/],
  ['Basilisk', /\bBasilisk\/(\d+)/],
  ['K-Meleon', /\bK-Meleon\/(\d+)/],
  ['Camino', /\bCamino\/(\d+)/],
  ['Flock', /\bFlock\/(\d+)/],
  ['IceCat', /\bIceCat\/(\d+)/],
  ['Iceweasel', /\bIce(?:weasel|ape)\/(\d+)/],
  ['Netscape', /\b(?:Navigator|Netscape6?)\/(\d+)/],
  ['Firefox Focus', /\b(?:Focus|Klar)\/(\d+)/],
];

const ENGINES: readonly Rule[] = [
  ['Internet Explorer', /\bIEMobile[ /](\d+)|\bMSIE (\d+)|\bTrident\/.*\brv[: ](\d+)/],
  ['Firefox', /\b(?:Firefox|FxiOS|Fennec|Firebird|Phoenix)\/(\d+)/],
  // Android's WebView says wv, or, when it was young, which Android's browser it stands in for.
  ['Android WebView', /; wv\).*?\bChrome\/(\d+)|\bAndroid\b.*\bVersion\/[\d.]+ Chrome\/(\d+)/],
  ['Chromium', /\bChromium\/(\d+)/],
  ['Chrome', /\b(?:CriOS|CrMo|Chrome|HeadlessChrome)\/(\d+)|\bHeadlessChrome\b/],
  ['BlackBerry Browser', /\b(?:BB10|PlayBook|BlackBerry).*\bVersion\/(\d+)|\bBlackBerry\w*\/(\d+)/],
  ['Android Browser', /\bAndroid\b.*\bVersion\/(\d+)/],
  ['Safari', /\bVersion\/(\d+).*\bSafari\//],
  ['iOS WebView', /\((?:iPhone|iPad|iPod)[^)]*\) AppleWebKit\/(?!.*\bSafari\/)/],
  ['Safari', /\bSafari\//],
  ['Lynx', /^Lynx\/(\d+)/],
  ['Links', /^E?Links (?:\(|\/)(\d+)/],
  ['w3m', /^w3m\/(\d+)/],
  ['Dillo', /^Dillo\/(\d+)/],
];

const RULES: readonly Rule[] = [...APPS, ...DERIVED, ...ENGINES];

/** Null: none that has a name here. */
export function browserOf(userAgent: string): NamedVersion | null {
  for (const [name, pattern] of RULES) {
    const match = pattern.exec(userAgent);
    if (match !== null) return { name, version: match[1] ?? match[2] ?? match[3] ?? null };
  }
  return null;
}
