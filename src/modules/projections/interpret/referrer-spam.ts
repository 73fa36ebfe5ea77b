// Hosts that nobody ever came from: they are sent as referrers so that whoever reads a report looks them up.
// Facts, gathered by hand, without any list's choice of them; a host covers those below it.
import { pageOf } from './page.js';

const SPAM_HOSTS = new Set(
  `semalt.com semaltmedia.com buttons-for-website.com buttons-for-your-website.com darodar.com ilovevitaly.com
  ilovevitaly.co ilovevitaly.ru priceg.com hulfingtonpost.com best-seo-offer.com best-seo-solution.com 100dollars-seo.com
  free-share-buttons.com free-social-buttons.com get-free-traffic-now.com get-free-social-traffic.com
  buy-cheap-online.info econom.co makemoneyonline.com blackhatworth.com o-o-6-o-o.com o-o-8-o-o.ru
  event-tracking.com trafficmonetize.org trafficmonetizer.org trafficgenius.xyz website-analyzer.info
  simple-share-buttons.com social-buttons.com sharebutton.net guardlink.org webmonetizer.net 4webmasters.org cenoval.ru
  iskalko.ru lomb.co lombia.co econom.co savetubevideo.com kambasoft.com cenokos.ru seoanalyses.com videos-for-your-business.com
  success-seo.com rankings-analytics.com uptime.com-check.xyz keywords-monitoring-your-success.com
  traffic2cash.xyz traffic2money.com bot-traffic.icu bot-traffic.xyz trafficbot.life trafficbot.live
  monetizationking.net fix-website-errors.com site-auditor.online seo-platform.com top1-seo-service.com
  floating-share-buttons.com chinese-amezon.com hongfanji.com rank-checker.online aliexpress-promo.xyz
  law-enforcement-aa.xyz law-enforcement-bot-ff.xyz erot.co ranksonic.info ranksonic.org 7makemoneyonline.com
  howtostopreferralspam.eu adviceforum.info googlsucks.com humanorightswatch.org smailik.org
  ghostvisitor.com torture.ml social-widget.xyz share-buttons.xyz eu-cookie-law.org cookie-law-enforcement-aa.xyz
  pops.foundation news.grets.store static.seders.website info.seders.website game.fertuk.site ofer.bartikus.site
  rida.tokyo kar.razas.site garold.dertus.site bitcoin-ua.top`.split(/\s+/),
);

/** @param referrer absolute and normalised, as intake leaves it */
export function isSpamReferrer(referrer: string): boolean {
  const { hostname } = pageOf(referrer);
  for (let host = hostname ?? ''; host.includes('.'); host = host.slice(host.indexOf('.') + 1)) {
    if (SPAM_HOSTS.has(host)) return true;
  }
  return false;
}
