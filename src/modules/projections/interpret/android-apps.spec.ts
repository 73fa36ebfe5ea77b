import { ANDROID_APPS } from './android-apps.js';
import { sourceOfApp } from './known-sources.js';

it('has every app once, spelt as intake spells it, under a source that there is', () => {
  const apps = Object.entries(ANDROID_APPS).flatMap(([name, ids]) =>
    ids.split(' ').map((id) => [name, id] as const),
  );
  expect(new Set(apps.map(([, id]) => id)).size).toBe(apps.length);
  for (const [name, id] of apps) {
    expect(id).toMatch(/^[a-z\d_]+(?:\.[a-z\d_]+)+$/);
    expect(sourceOfApp(id)).toMatchObject({ name });
  }
});
