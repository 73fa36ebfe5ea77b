// What visitors do on a page: links to other sites, files, forms, and whatever the page itself names by attributes.
// A name that the page gives takes the place of ours. Of a link's address all but its query is told.
import { listen } from './browser.js';
import { emit } from './event.js';
import { options } from './options.js';

const GIVEN = 'data-tidemark-';
const NAMED = `[${GIVEN}event]`;
const FILE =
  /\.(7z|apk|avi|csv|dmg|docx?|epub|exe|gz|iso|mov|mp[34]|msi|pdf|pkg|pptx?|rar|tar|txt|xlsx?|zip)$/i;
const SECONDARY_BUTTON = 2;

export function watchClicks(): void {
  const { off } = options;
  const onClick = (click: MouseEvent): void => {
    if (click.button === SECONDARY_BUTTON) return;
    const target = click.target as Element;
    // The document itself, where a page makes its own clicks.
    if (!target.closest) return;
    const named = target.closest(NAMED + ':not(form)');
    const link = target.closest('a');
    if (named) return emitNamed(named);
    if (!link || !/^http/.test(link.protocol)) return;
    const { origin, pathname } = link;
    const isFile = FILE.test(pathname) || link.hasAttribute('download');
    if (off.includes(isFile ? 'downloads' : 'outbound') || (!isFile && origin === location.origin)) return;
    emit(isFile ? 'File Download' : 'Outbound Link: Click', { props: { url: origin + pathname } });
  };
  listen('click', onClick);
  listen('auxclick', onClick);
  listen('submit', ({ target }: { target: HTMLFormElement }) => {
    if (target.matches(NAMED)) emitNamed(target);
    // Not the property, which is a field's where one is called id.
    else if (!off.includes('forms'))
      emit('Form: Submission', { props: { form: target.getAttribute('id') ?? '' } });
  });
}

/** `data-tidemark-event="Order" data-tidemark-revenue="12.50" data-tidemark-currency="EUR" data-tidemark-plan="pro"` */
function emitNamed({ attributes }: Element): void {
  const given: Record<string, string> = {};
  for (const { name, value } of attributes) {
    if (name.startsWith(GIVEN)) given[name.slice(GIVEN.length)] = value;
  }
  const { event, revenue, currency, ...props } = given;
  emit(event!, { props, revenue: revenue ? { amount: revenue, currency: currency! } : undefined });
}
