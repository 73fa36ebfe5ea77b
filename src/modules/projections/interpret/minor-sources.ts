// Sources that few people come from, named by their hosts. Facts about the web; which social networks, video and
// shopping sites Google Analytics counts as such was looked up in what is published of its list of sources.
export const MINOR_SOURCES: Readonly<Record<'search' | 'social' | 'video' | 'shopping' | 'email', string>> = {
  search: `
    ixquick.de clusty.com yippy.com mamma.com teoma.com looksmart.com lo.st webfetch.com inspsearch.com search.winamp.com
    search.peoplepc.com search.rr.com search.juno.com search.netscape.com search-intl.netscape.com websearch.com picsearch.com
    searchresults.verizon.com search.alot.com search.kiwee.com search.icq.com search.magnetic.com searchcanvas.com
    search.softonic.com search.genieo.com search.snapdo.com search.findwide.com search.hiyo.com search.yippy.com
    googlesyndicatedsearch.com search.1und1.de search.1and1.com suchmaschine.com suche.info metager2.de meinestadt.de witch.de
    suchnase.de acoon.de tixuma.de arcor.de suche.aolsvc.de fixsuche.de aolsearch.com search.frontier.com search.tiscali.it
    search-dyn.tiscali.it hledani.tiscali.cz web.volny.cz szukaj.wp.pl search.qip.ru poisk.ru aport.ru busca.orange.es
    search.ke.voila.fr recherche.francite.com forestle.org hit-parade.com toile.com mozbot.fr mozbot.com yatedo.com
    ilse.nl vinden.nl zoeken.nl zoek.nl vindex.nl gulesider.no 1881.no abcsok.no findhurtig.dk find.tdc.dk zhongsou.com sougou.com
    search.yam.com gougou.com search.vindex.nl clix.pt apontador.com.br buscador.terra.cl rechercher.aliceadsl.fr ask.co.uk
    askkids.com dmoz.org eurip.com everyclick.com hooseek.com cuil.com ixquick.com search.ch search.comcast.net search.earthlink.net search.bluewin.ch
    search.free.fr recherche.aol.fr suche.aol.de suche.freenet.de fireball.de abacho.de search.hp.my.aol.com
    search.seznam.sk zoznam.sk najdi.si search.bt.com search.orange.co.uk lemoteur.orange.fr lemoteur.fr
    search.tut.by tut.by all.by meta.ua i.ua nigma.ru sputnik.ru search.lt search.delfi.lv neti.ee sapo.pt pesquisa.sapo.pt
    buscador.terra.es terra.com.br globo.com busca.uol.com.br search.walla.co.il search.nifty.com
    search.rakuten.co.jp websearch.rakuten.co.jp search.fenrir-inc.com hao123.com soso.com youdao.com chinaso.com
    incredimail.com search.incredimail.com sweetim.com mywebsearch.com mysearch.com myway.com searchalot.com search.com
    qbyrd.com searchqu.com delta-search.com claro-search.com funmoods.com iminent.com isearch.babylon.com
    technorati.com alltheweb.com altavista.com blekko.com hotbot.com infospace.com
    firmy.cz quark.cn lilo.fr exactseek.com findx.com unbubble.eu good-search.org freespoke.com karmasearch.org
    givero.com search.disconnect.me infinitysearch.co right-dao.com stract.com wiby.me search.visymo.com`,
  social: `
    43things.com 51.com 5ch.net activerain.com activeworlds.com addthis.com airg.ca allnurses.com allrecipes.com
    alumniclass.com americantowns.com ancestry.com anobii.com answerbag.com aolanswers.com artstation.com
    asmallworld.com athlinks.com awe.sm baby-gaga.com babyblog.ru bebo.com beforeitsnews.com bharatstudent.com biip.no
    blackcareernetwork.com blackplanet.com blip.fm blog.com feedspot.com blog.goo.ne.jp blog.yahoo.co.jp blogg.no
    bloggang.com blogher.com bloglines.com blogs.com blogsome.com blogster.com blurtit.com bookmarks.yahoo.co.jp
    bookmarks.yahoo.com brightkite.com brizzly.com buzzfeed.com buzznet.com cafemom.com camospace.com canalblog.com
    care.com care2.com caringbridge.org catster.com cbnt.io cellufun.com centerblog.net chegg.com chicagonow.com
    classmates.com classquest.com cocolog-nifty.com copainsdavant.linternaute.com couchsurfing.org couchsurfing.com
    cozycot.com cross.tv crunchyroll.com cyworld.com dailystrength.org deluxe.com dianping.com diigo.com disqus.com
    dogster.com dol2day.com doostang.com dopplr.com draugiem.lv drugs-forum.com dzone.com edublogs.org elftown.com
    epicurious.com everforo.com exblog.jp extole.com faceparty.com fanpop.com fark.com fc2.com feministing.com
    filmaffinity.com folkdirect.com foodservice.com forums.androidcentral.com forums.crackberry.com forums.imore.com
    nexopia.com fotki.com fotolog.com friendfeed.com fruehstueckstreff.org fubar.com gaiaonline.com gamerdna.com
    gather.com geni.com glassboard.com godtube.com goldenline.pl goldstar.com goo.gl govloop.com gowalla.com gree.jp
    gulli.com gutefrage.net habbo.com hi5.com hoverspot.com hr.com hubculture.com hubpages.com hyves.net hyves.nl
    ibibo.com identi.ca imageshack.com imageshack.us imvu.com insanejournal.com instapaper.com internations.org
    interpals.net intherooms.com irc-galleria.net is.gd italki.com jammerdirect.com jappy.com jappy.de kaboodle.com
    kaneva.com librarything.com lifestream.aol.com listal.com listography.com mbga.jp meetin.org meinvz.net meneame.net
    menuism.com mix.com mocospace.com mouthshut.com movabletype.com mubi.com my.opera.com myanimelist.net
    myheritage.com mylife.com mymodernmet.com netvibes.com ngopost.org nightlifelink.com ning.com okwave.jp
    oneworldgroup.org onstartups.com opendiary.com oshiete.goo.ne.jp over-blog.com overblog.com paper.li partyflock.nl
    photobucket.com pinboard.in pingsta.com pixiv.net playahead.se posterous.com pulse.yahoo.com qapacity.com
    quechup.com redux.com reunion.com reverbnation.com ryze.com salespider.com scoop.it screenrant.com scvngr.com
    secondlife.com sharethis.com ushareit.com shvoong.com skyrock.com sociallife.com.br socialvibe.com spaces.live.com
    spoke.com spruz.com ssense.com stackapps.com stardoll.com stickam.com studivz.net suomi24.fi sweeva.com tagged.com
    taggedmail.com talkbiznow.com techmeme.com tencent.com toolbox.com travellerspoint.com trombi.com tudou.com
    tuenti.com tweetdeck.com twoo.com typepad.com unblog.fr urbanspoon.com ushi.cn vampirefreaks.com vampirerave.com
    video.ibm.com wakoopa.com webshots.com weebly.com weread.com wer-weiss-was.de wiki.answers.com wikitravel.org
    woot.com xanga.com yahoo-mbga.jp youroom.in zoo.gr zooppa.com stumbleupon.com delicious.com orkut.com friendster.com
    viadeo.com nk.pl moikrug.ru plaxo.com multiply.com netlog.com wayn.com weeworld.com tieba.baidu.com tapatalk.com
    fetlife.com v2ex.com lang-8.com sourceforge.net indiehackers.com peerlist.io polywork.com untappd.com strava.com
    eksisozluk.com uludagsozluk.com donanimhaber.com whirlpool.net.au resetera.com 4chan.org 9gag.com imgur.com ello.co
    counter.social diasporafoundation.org misskey.io pixelfed.social peertube.social vkrugudruzei.ru dzen.ru pikabu.ru habr.com
    flixster.com myyearbook.com friendsreunited.com sonico.com t.umblr.com instela.com incisozluk.com hocam.com phanpy.social`,
  video: `
    cda.pl coub.com ganjingworld.com godtube.net justin.tv metacafe.com nebula.tv nimo.tv ok.tv rutube.tv streamable.com
    trovo.live vevo.com vidio.com viki.com youporn.com viadeo.journaldunet.com acfun.cn huya.com douyu.com
    mgtv.com le.com sohu.tv tv.sohu.com wasu.cn hotstar.com jiocinema.com zee5.com max.com hbomax.com paramountplus.com
    peacocktv.com tubitv.com pluto.tv roku.com`,
  shopping: `
    apps.shopify.com simplycodes.com shopzilla.co.uk pricegrabber.com nextag.com bizrate.com pricespy.co.uk
    prisjakt.no prisjakt.nu pricerunner.dk kelkoo.co.uk guenstiger.de preisvergleich.de check24.de ceneo.pl heureka.cz
    heureka.sk arukereso.hu compari.ro skroutz.gr trovaprezzi.it ledenicheur.fr leguide.com shopalike.de stylight.com
    lyst.com farfetch.com asos.com aboutyou.de manomano.fr cdiscount.pro zozo.jp kakaku.com buyma.com qoo10.com
    blibli.com tiki.vn sendo.vn americanas.com.br magazineluiza.com.br casasbahia.com.br submarino.com.br
    buscape.com.br zoom.com.br falabella.com ripley.com liverpool.com.mx takealot.com konga.com souq.com
    n11.com gittigidiyor.com sahibinden.com avito.ru lamoda.ru megamarket.ru dns-shop.ru rozetka.com.ua prom.ua olx.ua
    olx.pl olx.com.br marktplaats.nl 2ememain.be leboncoin.fr subito.it wallapop.com kleinanzeigen.de willhaben.at
    ricardo.ch tutti.ch finn.no blocket.se dba.dk tori.fi trademe.co.nz catch.com.au kogan.com overstock.com
    macys.com kohls.com sears.com lowes.com samsclub.com qvc.com zulily.com dhgate.com banggood.com gearbest.com
    lightinthebox.com shopstyle.com slickdeals.net retailmenot.com groupon.com wowcher.co.uk dealabs.com mydealz.de
    hotukdeals.com pepper.com`,
  email: `
    inbox.com sibmail.com mastermail.ru basic.messaging.bigpond.com navigator-lxa.mail.com`,
};
