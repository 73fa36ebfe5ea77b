// Programs that fetch pages and have a name, by what they come for. Facts, gathered by hand: to teach the
// projector a bot, add its name. A name is looked for in the user-agent string, case ignored; where the string
// has another word for it, that stands behind `=`. The longest word that fits decides: ChatGPT-User, not GPT.

/** In the terms of operators: what a visit of such a program is for. */
export const BOT_KINDS = [
  'AI crawler',
  'AI assistant',
  'Search engine',
  'SEO tool',
  'Advertising',
  'Link preview',
  'Feed reader',
  'Monitoring',
  'Archiver',
  'Research',
  'Scanner',
  'Browser automation',
  'HTTP library',
] as const;
export type NamedBotKind = (typeof BOT_KINDS)[number];

export const NAMED_BOTS: Readonly<Record<NamedBotKind, string>> = {
  // Gather pages for training, or for an index that models are given.
  'AI crawler': `GPTBot|ClaudeBot|anthropic-ai|Claude-Web|CCBot|Bytespider|TikTokSpider|meta-externalagent|FacebookBot|
    Google-Extended|GoogleOther|Google-CloudVertexBot|Applebot-Extended|Amazonbot|cohere-ai|
    cohere-training-data-crawler|AI2Bot|Diffbot|ImagesiftBot|img2dataset|PanguBot|DeepSeekBot|ChatGLM-Spider|
    Kangaroo Bot|Timpibot|omgili|omgilibot|webzio-extended|Webzio|Brightbot|SBIntuitionsBot|Spawning-AI|
    laion-huggingface-processor|Cotoyogi|VelenPublicWebCrawler|Poggio-Citations|FirecrawlAgent|Firecrawl|
    crawl4ai|ApifyWebsiteContentCrawler|ApifyBot|Cloudflare-AutoRAG|Thinkbot|TerraCotta|Crawlspace|
    PhindBot|LinkupBot|newsai|semantic-visions|
    imageSpider|ExaBot=exa.ai|iaskspider|Quillbot|bigsur.ai|Anomura|
    TSM-turingos|The Knowledge AI|Channel3Bot|ZanistaBot|Novellum|KunatoCrawler|Flyriverbot|ShapBot`,
  // Fetch a page because a person has just asked for it, or look for an answer.
  'AI assistant': `ChatGPT-User|OAI-SearchBot|ChatGPT Agent|Operator=openai operator|Claude-User|Claude-SearchBot|
    PerplexityBot|Perplexity-User|PerplexityUser|DuckAssistBot|MistralAI-User|MistralAI-Index|Google-NotebookLM|
    Google-Agent|GoogleAgent-Mariner|Gemini-Deep-Research|Google-Gemini-CLI|meta-externalfetcher|meta-webindexer|Amzn-User|Amzn-SearchBot|
    AzureAI-SearchBot|AISearchBot|YouBot|iAskBot|kagi-fetcher|TavilyBot|LinerBot|Manus-User|Devin|NovaAct|
    Amazon-Bedrock-AgentCore-Browser|AmazonBuyForMe|Bravebot-Assistant|Andibot|PetalAI|QwenBot|KimiBot|Grok-User=grok|xAI-SearchBot|Copilot-User|
    Aranet-SearchBot|atlassian-bot|Cursor=cursor/|opencode-smartfetch|TwinAgent|MyCentralAIScraperBot`,
  'Search engine': `Googlebot|Googlebot-Image|Googlebot-News|Googlebot-Video|Storebot-Google|Google-InspectionTool|
    APIs-Google|Google-Read-Aloud|Google-Safety|Google-Site-Verification|bingbot|msnbot|
    Yahoo! Slurp=slurp|YandexBot=yandex.com/bots|YandexRenderResourcesBot|Baiduspider|DuckDuckBot|
    DuckDuckGo-Favicons-Bot|SeznamBot|Sogou web spider=sogou|360Spider|YisouSpider|ToutiaoSpider|PetalBot|AspiegelBot|
    Applebot|Yeti|Daum|ZumBot|coccocbot=coccoc|MojeekBot|Qwantify|Qwantbot|Bravebot|Exabot|Gigabot|Teoma|
    Nutch|search.marginalia.nu|IbouBot|OWLer=owler@ows|StractBot|Seekport|Cliqzbot|
    Mail.RU_Bot|Jooblebot|IndeedBot|trovitBot|IstellaBot|Neevabot|GeedoBot|FAST-WebCrawler|ichiro|voilabot|OrangeBot|
    Google Favicon|AppEngine-Google|Google-Structured-Data-Testing-Tool|Naverbot|Nicecrawler|findxbot|yacybot`,
  'SEO tool': `AhrefsBot|AhrefsSiteAudit|SemrushBot|MJ12bot|DotBot|rogerbot|BLEXBot|DataForSeoBot|SISTRIX|serpstatbot|
    SEOkicks|MegaIndex|Screaming Frog SEO Spider=screaming frog|SiteAuditBot|Barkrowler|linkdexbot=linkdex|
    seoscanners|Majestic|Botify|OnCrawl|DeepCrawl|Lumar|Sitebulb|XoviBot|netEstate NE Crawler=netestate|
    spbot|DomainStatsBot|LinkpadBot|Mediatoolkitbot|AwarioBot|trendictionbot|magpie-crawler|BrandVerity|Dataprovider.com|
    ZoominfoBot|ZoomInfo|HubSpot Crawler=hubspot|QualifiedBot|Factset_spyderbot|Sidetrade indexer bot=sidetrade|aiHitBot|YaK|Xenu Link Sleuth=xenu link|deadlinkchecker|MauiBot|
    Cocolyzebot|RyteBot|SeobilityBot|Seobility|SEOlyt|PR-CY.RU|BacklinksExtendedBot|MeltwaterNews|MuckRack|Nuzzel|BuzzSumo|
    Moreover|startmebot|PaperLiBot|TinEye|keys-so-bot`,
  Advertising: `AdsBot-Google|AdsBot-Google-Mobile|Mediapartners-Google|Adidxbot|proximic|GrapeshotCrawler|
    CriteoBot|Taboolabot|outbrain|ADmantX|IAS crawler|peer39_crawler|AdsTxtCrawler|adbeat_bot|moatbot|cXensebot|
    AdvBot|Quantcastbot|MgidBot|meta-externalads|facebookcatalog|AmazonAdBot|Pulsepoint|SnapchatAds|TTD-Content|Verity|
    YandexDirect|YandexAdNet|Google-Adwords-Instant|Clickagy|AdsBot-IAB`,
  'Link preview': `facebookexternalhit|Facebot|Twitterbot|LinkedInBot|Slackbot|Slack-ImgProxy|Discordbot|TelegramBot|
    WhatsApp|Pinterestbot=pinterest.com/bot|Pinterestbot|redditbot|SkypeUriPreview|BingPreview|MicrosoftPreview|Snap URL Preview Service=snap url|
    Embedly|Iframely|vkShare|Viber|Mastodon|Bluesky|Cardyb=cardyb|Tumblr|FlipboardProxy|Yahoo Link Preview|Google Web Preview|
    Linespider|Line-Parts|kakaotalk-scrap|OdklBot|Valve Steam=valve/steam|Notion|Misskey|SummalyBot|Lemmy|Pleroma|
    Friendica|Synapse|Mattermost-Bot|Chatwork LinkPreview|GoogleImageProxy|YahooMailProxy|github-camo|HatenaBookmark=hatena|
    EvernoteRichLinkBot|GroupMeBot|KeybaseBot`,
  'Feed reader': `Feedfetcher-Google|Feedly|Feedbin|Inoreader|NewsBlur|FreshRSS|Miniflux|Tiny Tiny RSS|theoldreader.com|BazQux|
    Superfeedr|SimplePie|Netvibes|FeedBurner|FeedFetcher|UniversalFeedParser|CommaFeed|Feedspot|rss-parser|NetNewsWire|
    Overcast|PocketCasts|MagpieRSS|Bloglines|Gwene|NextCloud-News|Blogtrottr|RSSingBot|feedparser|Reeder|Podchaser|
    iTMS|AntennaPod|Podbean|Spotify=spotify/|Akregator|Liferea`,
  Monitoring: `Siteimprove|OneTrust|GenomeCrawlerd|UptimeRobot|Pingdom|StatusCake|Better Uptime Bot|Uptime-Kuma|Site24x7|Checkly|DatadogSynthetics|
    NewRelicSynthetics|NewRelicPinger|ThousandEyes|Catchpoint|AlertSite|Dotcom-Monitor|Zabbix|check_http|Nagios|
    FreshpingBot|HetrixTools|updown.io|Hyperspin|Montastic|Cloudflare-Healthchecks|Cloudflare-Traffic-Manager|
    CloudFlare-AlwaysOnline|GoogleStackdriverMonitoring|Chrome-Lighthouse|PageSpeed=google page speed|GTmetrix|WebPageTest=ptst/|
    RuxitSynthetic|AppInsights|SiteLock|W3C_Validator|W3C-checklink|W3C_CSS_Validator|Validator.nu|FeedValidator|
    ELB-HealthChecker|kube-probe|GoogleHC|Amazon-Route53-Health-Check-Service|Prometheus|Blackbox Exporter|OhDear|SentryUptimeBot|
    Oh Dear|Downnotifier|HostTracker|Monitis|Uptimebot|YLT Chrome|cron-job.org|monitoring360bot|NIXStatsbot`,
  Archiver: `archive.org_bot|ia_archiver|Heritrix|ArchiveBot|Wayback|Archive-It|ArchiveBox|ArquivoBot|Arquivo-web-crawler|
    bl.uk_lddc_bot|bnf.fr_bot|BnFBot|kb.dk_bot|MirrorWebCrawler|HTTrack|WebCopier|WebZIP|SiteSucker|CyotekWebCopy|
    Offline Explorer|Miniature.io|perma.cc|NLNZ_IAHarvester|Teleport Pro`,
  Research: `SemanticScholarBot|BUbiNG|InternetMeasurement|citeseerxbot|CISPA Webcrawler|MaCoCu|SpiderLing|IRLbot|
    ResearchBot|Web Measure|Citoid|ZoteroTranslationServer|researchscan|CLASSLA-web|Aranea|ICC-Crawler|Turnitin`,
  Scanner: `CensysInspect|Censys|Expanse|zgrab|masscan|Nmap Scripting Engine=nmap|Nikto|sqlmap|WPScan|Acunetix|Nessus|Detectify|
    Qualys|l9explore|l9scan|l9tcpid|NetcraftSurveyAgent|Netcraft|BitSightBot|Cookiebot|CookieHubScan|VirusTotal|
    Shodan|Nuclei|DirBuster|gobuster|ZmEu|LeakIX|ISSCyberRiskCrawler|Palo Alto Networks=palo alto|fuzz faster u fool|feroxbuster|
    Burp|OWASP ZAP=zaproxy|Arachni|w3af|SecurityScorecard|Project Sonar=sonar|NetSystemsResearch|AliyunSecBot|CMS-Checker`,
  'Browser automation': `HeadlessChrome|PhantomJS|SlimerJS|Playwright|Puppeteer|Selenium|WebDriver|Cypress|Splash|
    HtmlUnit|Headless Firefox|Nightmare|CasperJS|jsdom|ZombieJS=zombie.js|Rendertron|Prerender|Ghost Inspector|TestCafe|BrowserStack|
    LambdaTest|wkhtmltopdf|wkhtmltoimage`,
  'HTTP library': `curl|Wget|python-requests|Python-urllib|aiohttp|httpx|Python|Go-http-client|okhttp|Java|
    Apache-HttpClient|libwww-perl|Scrapy|axios|node-fetch|undici|got|PHP|Guzzle|GuzzleHttp|Ruby|Faraday|HTTPie|
    PostmanRuntime|Insomnia|RestSharp|colly|fasthttp|reqwest|Dart|Symfony|WordPress|Drupal|Zend_Http_Client|lwp-trivial|
    Mechanize|Jakarta|Typhoeus|superagent|PycURL|urlgrabber|WinHttp|CFNetwork|Deno|Bun|Embarcadero|Lavf|libcurl|
    node|trafilatura|newspaper|crawler4j|Snoopy|Jetty|AHC|Indy Library|PowerShell|hackney|Elixir|Unirest|WebClient`,
};
