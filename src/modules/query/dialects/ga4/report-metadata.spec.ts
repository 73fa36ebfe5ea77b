import { COMPLETE, lesserOf, reportMetadata } from './report-metadata.js';

const SITE = { currency: 'EUR', timezone: 'Europe/Berlin' };
const PLAIN = { currencyCode: 'EUR', timeZone: 'Europe/Berlin' };

it('says nothing of what is complete', () => {
  expect(reportMetadata(SITE, [COMPLETE, COMPLETE])).toEqual(PLAIN);
});

it('says that rare values are in one row, and which part of each range was read', () => {
  const other = lesserOf(COMPLETE, { ...COMPLETE, hasOtherRow: true });
  expect(reportMetadata(SITE, [COMPLETE, other])).toEqual({ ...PLAIN, dataLossFromOtherRow: true });
  const sampled = lesserOf({ ...COMPLETE, sampleRate: 0.5 }, { ...COMPLETE, sampleRate: 0.25 });
  expect(reportMetadata(SITE, [sampled, COMPLETE])).toEqual({
    ...PLAIN,
    samplingMetadatas: [
      { samplesReadCount: '16384', samplingSpaceSize: '65536' },
      { samplesReadCount: '65536', samplingSpaceSize: '65536' },
    ],
  });
});

it('says that something is withheld', () => {
  const incomplete = lesserOf({ ...COMPLETE, isIncomplete: true }, COMPLETE);
  expect(reportMetadata(SITE, [COMPLETE, incomplete])).toEqual({ ...PLAIN, subjectToThresholding: true });
});
