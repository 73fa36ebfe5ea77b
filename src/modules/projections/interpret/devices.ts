// What kind of device it is, by the user-agent string; and an iPad that says it is a Mac, by its screen.

const TV =
  /\bTV\b|SMART-?TV|SmartTV|AppleTV|GoogleTV|HbbTV|NetCast|NETTV|\bCrKey\b|\bRoku|\bAFT[A-Z]|BRAVIA|\bDTV\b|VIERA|Web0S|\bDLNADOC|Android TV|\bShield\b(?! Tablet)|MiTV|\bMiBOX|\bVIDAA\b|\bPhilipsTV|\bSonyDTV|\bOpera TV/i;
const CONSOLE = /\bXbox\b|\bPlayStation\b|\bNintendo\b|\bShield Portable|\bOUYA\b/i;
const WEARABLE =
  /\bOculusBrowser\b|\bQuest \d|\bMobile VR\b|\bvisionOS\b|\bWatch\b|watchOS|\bWear ?OS\b|\bSM-R\d{3}|\bGlass \d|\bPebble\b/i;
const CAR = /\b(?:Tesla|QtCarBrowser|AAOS|Android Automotive)\b/;
const TABLET =
  /\biPad\b|\bTablet\b(?! PC)|\bPlayBook\b|\bKindle\b|\bSilk\/(?!.*Mobile)|\bKF[A-Z]{2,5}\b|\bSM-[PTX]\d{3}|\bGT-P\d{4}|\bGT-N(?:5|8)\d{3}|\bSGH-T\d{3} Tab|\bSCH-I(?:800|905|925)|\bNexus (?:7|9|10)\b|\bPixel (?:C|Tablet)\b|\bXoom\b|\bMZ\d{3}\b|\bTransformer\b|\bTF\d{3}|\bMedia ?Pad\b|\bMatePad\b|\b(?:AGS|BAH|SCM|MRX|DBY)\d?-\w{3}|\bMi ?Pad\b|\bRedmi Pad\b|\bXiaomi Pad\b|\bLenovo ?(?:TB|YT|Tab|B\d|A[1-7]\d00)|\bTB-?\w?\d{3,4}|\bYOGA Tab|\bIdeaTab|\bIconia\b|\bSGP\d{3}|\bSO-0[35][EF]\b|\bXperia Tablet|\bLG-V\d{3}\b|\bVK\d{3}\b|\bhp-tablet\b|\bTouchPad\b|\bNOOK\b|\bBNTV\d|\bTab(?:let)?[ -]?[A-Z]?\d|\bGalaxy Tab|\bSurface\b|\bARCHOS\b|\bVersaTab\b/i;
const MOBILE =
  /\bMobi(?:le)?\b|\biPhone\b|\biPod\b|\bAndroid\b|\bWindows (?:Phone|CE|Mobile)\b|\bIEMobile\b|\bBlackBerry|\bBB10\b|\bOpera M(?:ini|obi)\b|\bSymbian|\bSeries ?[46]0\b|\bMIDP\b|\bNokia|\bwebOS\b|\bBada\b|\bMeeGo\b|\bMaemo\b|\bSailfish\b|\bKAIOS\b|\bHarmonyOS\b|\bOpenHarmony\b|\bUCWEB\b|\bJ2ME\b|\bPalm(?:OS|Source)\b/i;
const DESKTOP =
  /\bWindows\b|\bWin(?:32|NT|9[58x])|\bMac(?:intosh|_PowerPC| OS)|\bX11\b|\bLinux\b|\bCrOS\b|\bBSD\b|\bBeOS\b/;

/** Order matters: a television's string says Linux and Mobile, too. */
export function deviceOf(userAgent: string): string | null {
  if (CONSOLE.test(userAgent)) return 'Console';
  if (TV.test(userAgent)) return 'TV';
  if (CAR.test(userAgent)) return 'Car';
  if (WEARABLE.test(userAgent)) return 'Wearable';
  if (TABLET.test(userAgent) && !/\bWindows NT\b/.test(userAgent)) return 'Tablet';
  // Android's phones say Mobile; Opera's say so in its name.
  if (/\bAndroid\b/.test(userAgent) && !/\bMobi|\bOpera M/i.test(userAgent)) return 'Tablet';
  if (MOBILE.test(userAgent)) return 'Mobile';
  return DESKTOP.test(userAgent) ? 'Desktop' : null;
}

/** Of every iPad there was since they say they are Macs, held upright: no Mac has such a screen. */
const IPAD_SCREENS = new Set(
  [
    '744x1133',
    '768x1024',
    '810x1080',
    '820x1180',
    '834x1112',
    '834x1194',
    '834x1210',
    '1024x1366',
    '1032x1376',
  ].flatMap((screen) => [screen, screen.split('x').toReversed().join('x')]),
);
/** Macs have had this one as well. */
IPAD_SCREENS.delete('1024x768');

export const isIpadAsMac = (userAgent: string, screen: string | null): boolean =>
  screen !== null &&
  IPAD_SCREENS.has(screen) &&
  userAgent.startsWith('Mozilla/5.0 (Macintosh') &&
  userAgent.includes('Version/') &&
  userAgent.includes('Safari/') &&
  !userAgent.includes('Chrome/');
