// The query parameters by which advertisers and networks recognise a click on what they showed. Intake keeps of them
// that there was one, never which: the id is a person's. What each tells of a visit the projector knows.
export const CLICK_ID_PARAMETERS = [
  ...(['gclid', 'gbraid', 'wbraid', 'gad_source', 'gclsrc', 'dclid'] as const),
  ...(['msclkid', 'yclid', 'ttclid', 'twclid', 'li_fat_id', 'ScCid', 'rdt_cid', 'epik', 'qclid'] as const),
  ...(['fbclid', 'igshid', 'igsh', 'mc_cid', 'mc_eid'] as const),
] as const;

export type ClickIdParameter = (typeof CLICK_ID_PARAMETERS)[number];
