import type { Profile, Recipes } from './profile.ts';
import { busiest, eventsByKind, quantile, ratio, spend } from './recipe.ts';

const CALLS = 'llm_requests_total';
const SCORES = 'llm_eval_score';
/** Shares of calls: measure, the counter of it, the counter that it is a share of. */
const SHARES = [
  ['errors', 'llm_errors_total', CALLS],
  ['refusals', 'llm_refusals_total', CALLS],
  ['hallucination', 'llm_hallucinations_total', CALLS],
] as const;
const HISTOGRAMS = [
  ['latency', 'llm_request_duration_seconds', { share: 0.99, scale: 1000, unit: 'ms' }],
  ['length', 'llm_output_chars', { share: 0.5, scale: 1, unit: 'characters' }],
  ['input-length', 'llm_input_chars', { share: 0.5, scale: 1, unit: 'characters' }],
  ['largest', 'llm_request_tokens', { share: 0.95, scale: 1, unit: 'tokens', hasMax: true }],
] as const;

/**
 * The names for what no convention has: quality, format, refusals, safety. Format is a share of the verdicts in
 * `llm_format_checked_total`, because a call without a verdict is not a wrong one.
 */
export const own: Profile = {
  name: 'llm-incident',
  recipes(names, selector) {
    const recipes: Recipes = {};
    for (const [measure, metric, whole] of SHARES) {
      if (!names.has(metric) || !names.has(whole)) continue;
      const of = { part: [{ metric }], whole: [{ metric: whole }] };
      recipes[measure] = ratio({ selector, ...of, absentPart: 'zero' });
    }
    for (const [measure, metric, about] of HISTOGRAMS) {
      if (names.has(`${metric}_bucket`)) recipes[measure] = quantile({ selector, metric, ...about });
    }
    return { ...recipes, ...scoreRecipes(names, selector), ...callRecipes(names, selector) };
  },
  usual: [
    CALLS,
    ...SHARES.map(([, metric]) => metric),
    ...HISTOGRAMS.map(([, metric]) => `${metric}_bucket`),
    ...[`${SCORES}_sum`, 'llm_format_ok_total', 'llm_format_checked_total'],
    ...['llm_tokens_total', 'llm_cost_usd_total', 'llm_safety_violations_total'],
  ],
};

function scoreRecipes(names: ReadonlySet<string>, selector: string): Recipes {
  const recipes: Recipes = {};
  if (names.has('llm_format_ok_total') && names.has('llm_format_checked_total')) {
    const of = { part: [{ metric: 'llm_format_ok_total' }], whole: [{ metric: 'llm_format_checked_total' }] };
    recipes.format = ratio({ selector, ...of, absentPart: 'no-data' });
  }
  if (names.has(`${SCORES}_sum`)) {
    recipes.score = meanScore(selector, 'quality');
    recipes.similarity = meanScore(selector, 'semantic_similarity');
  }
  return recipes;
}

function meanScore(selector: string, name: string) {
  const matchers = `name="${name}"`;
  return ratio({
    selector,
    part: [{ metric: `${SCORES}_sum`, matchers }],
    whole: [{ metric: `${SCORES}_count`, matchers }],
    absentPart: 'no-data',
    isMean: true,
    isBounded: true,
  });
}

function callRecipes(names: ReadonlySet<string>, selector: string): Recipes {
  if (!names.has(CALLS)) return {};
  const calls = { metric: CALLS };
  const perCall = { selector, whole: [calls], absentPart: 'no-data', isMean: true } as const;
  const recipes: Recipes = {};
  if (names.has('llm_tokens_total')) {
    recipes.tokens = ratio({ ...perCall, part: [{ metric: 'llm_tokens_total' }] });
    recipes.offender = busiest({ selector, tokens: 'llm_tokens_total', calls: CALLS, label: 'user' });
  }
  if (names.has('llm_cost_usd_total')) {
    const spent = { metric: 'llm_cost_usd_total' };
    recipes.cost = ratio({ ...perCall, part: [spent] });
    recipes.spend = spend({ selector, spent, calls });
  }
  if (names.has('llm_safety_violations_total')) {
    const metric = 'llm_safety_violations_total';
    recipes.safety = eventsByKind({ selector, metric, label: 'kind', calls: CALLS });
  }
  return recipes;
}
