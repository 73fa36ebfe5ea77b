// Whether a client would rather be told later (RFC 7240): `Prefer: respond-async`. Of a preference that is
// given twice the first counts, and parameters of it change nothing here.
const RESPOND_ASYNC = 'respond-async';

export const PREFERENCE_APPLIED = { 'preference-applied': RESPOND_ASYNC };

export const prefersAsync = (prefer: string | undefined): boolean =>
  (prefer ?? '').split(',').some((preference) => {
    const [name] = preference.split(/[;=]/, 1);
    return name!.trim().toLowerCase() === RESPOND_ASYNC;
  });
