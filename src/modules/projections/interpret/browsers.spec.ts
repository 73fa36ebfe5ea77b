import { browserOf } from './browsers.js';

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

describe('browsers', () => {
  it.each([
    [`${WINDOWS} Chrome/146.0.0.0 Safari/537.36`, 'Chrome', '146'],
    [`${WINDOWS} Chrome/146.0.0.0 Safari/537.36 Edg/146.0.0.0`, 'Microsoft Edge', '146'],
    [`${WINDOWS} Chrome/146.0.0.0 Safari/537.36 OPR/128.0.0.0`, 'Opera', '128'],
    [`${WINDOWS} Chrome/144.0.0.0 YaBrowser/26.3.0.0 Safari/537.36`, 'Yandex Browser', '26'],
    [`${WINDOWS} Chrome/146.0.0.0 Safari/537.36 Vivaldi/7.6`, 'Vivaldi', '7'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox', '145'],
    ['Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko', 'Internet Explorer', '11'],
    [`${ANDROID} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`, 'Samsung Internet', '29'],
    [`${ANDROID} Chrome/146.0.0.0 Mobile Safari/537.36 EdgA/146.0.0.0`, 'Microsoft Edge', '146'],
    [
      `${ANDROID.replace('; K', '; Pixel 9; wv')} Version/4.0 Chrome/146.0.0.0 Mobile Safari/537.36`,
      'Android WebView',
      '146',
    ],
    [
      `${ANDROID.replace('; K', '; Pixel 9; wv')} Version/4.0 Chrome/146.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/540.0.0.40.1;]`,
      'Facebook',
      '540',
    ],
    [`${IPHONE} Version/26.1 Mobile/15E148 Safari/604.1`, 'Safari', '26'],
    [`${IPHONE} CriOS/146.0.7680.40 Mobile/15E148 Safari/604.1`, 'Chrome', '146'],
    [`${IPHONE} FxiOS/145.0 Mobile/15E148 Safari/605.1.15`, 'Firefox', '145'],
    [`${IPHONE} Mobile/15E148`, 'iOS WebView', null],
    [`${IPHONE} Mobile/15E148 Instagram 390.0.0.28.85 (iPhone17,1)`, 'Instagram', '390'],
    [`${IPHONE} Version/18.6 Mobile/15E148 Safari/604.1 Ddg/18.6`, 'DuckDuckGo', '18'],
    [`${IPHONE} GSA/390.0.812345678 Mobile/15E148 Safari/604.1`, 'Google App', '390'],
    [`${IPHONE} Mobile/22G86 musical_ly_41.5.0 BytedanceWebview/d8a21c6`, 'TikTok', '41'],
    ['Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16', 'Opera', '12'],
  ])('%s is %s %s', (userAgent, name, version) => {
    expect(browserOf(userAgent)).toEqual({ name, version });
  });

  it.each(['', 'constructor', 'MyOwnProgram/1.0', 'Mozilla/5.0'])('gives no name to %j', (userAgent) => {
    expect(browserOf(userAgent)).toBeNull();
  });

  it('is not slowed down by hostile strings', () => {
    for (const part of [
      'FBAN/Messenger',
      'Android Version/',
      '(iPhone',
      'Opera/',
      'Trident/',
      '; wv)',
      'FB_IAB/Orca',
    ]) {
      const userAgent = part.repeat(512).slice(0, 512);
      const startedAt = performance.now();
      for (let times = 0; times < 100; times++) browserOf(userAgent);
      expect((performance.now() - startedAt) / 100).toBeLessThan(5);
    }
  });
});
