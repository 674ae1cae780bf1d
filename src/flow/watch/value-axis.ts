import type { Panel } from '../../chart/line-chart.ts';
import type { Rule } from '../../detection/rule.ts';

const AXES: Record<Rule['unit'], NonNullable<Panel['axis']>> = {
  share: { title: 'share', format: '%' },
  score: { title: 'score', format: 'f' },
  ms: { title: 'ms', format: ',f' },
  chars: { title: 'characters', format: ',f' },
  tokens: { title: 'tokens', format: ',f' },
  usd: { title: 'US dollars', format: '$f' },
  'usd/hour': { title: 'US dollars an hour', format: '$,f' },
  events: { title: 'calls', format: ',f' },
  index: { title: 'index', format: 'f' },
};

/** How a chart writes the values of a rule. */
export function valueAxis(unit: Rule['unit']): NonNullable<Panel['axis']> {
  return AXES[unit];
}
