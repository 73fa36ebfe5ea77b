// The answer of getMetadata: the vocabulary as GA4 describes one. Pure.
import { dimensionNames, dimensionOf } from './dimension-vocabulary.js';
import { metricNames, metricOf } from './metric-vocabulary.js';

export function ga4Metadata(property: string) {
  return {
    name: `properties/${property}/metadata`,
    dimensions: dimensionNames('core').map((apiName) => {
      const { uiName, description, category } = dimensionOf(apiName, 'core')!;
      return { apiName, uiName, description, category };
    }),
    metrics: metricNames('core').map((apiName) => {
      const entry = metricOf(apiName, 'core')!;
      const { uiName, description, category, type, deprecatedNames } = entry;
      return {
        apiName,
        uiName,
        description,
        ...(deprecatedNames.length > 0 && { deprecatedApiNames: deprecatedNames }),
        type,
        ...(entry.kind === 'expression' && { expression: entry.text }),
        category,
      };
    }),
  };
}
