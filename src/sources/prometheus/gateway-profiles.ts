import type { Profile, Recipes } from './profile.ts';
import { firstOf } from './profile.ts';
import { busiest, quantile, ratio, spend } from './recipe.ts';

const LITELLM = [
  'proxy_failed_requests_metric_total',
  'proxy_total_requests_metric_total',
  'request_total_latency_metric_bucket',
  'total_tokens_metric_total',
  'requests_metric_total',
  'spend_metric_total',
];

/** LiteLLM's proxy. A collector's namespace can double the prefix; older versions called the tokens otherwise. */
export const litellm: Profile = {
  name: 'litellm',
  recipes(names, selector) {
    const named = (...ends: string[]) =>
      firstOf(names, ...ends.flatMap((end) => [`litellm_${end}`, `litellm_litellm_${end}`]));
    const all = named('proxy_total_requests_metric_total');
    const failed =
      named('proxy_failed_requests_metric_total') ?? all?.replace('_total_requests_', '_failed_requests_');
    const latency = named('request_total_latency_metric_bucket');
    const tokens = named('total_tokens_metric_total', 'total_tokens_total');
    const calls = named('requests_metric_total') ?? all;
    const spent = named('spend_metric_total');
    const recipes: Recipes = {};
    if (all !== null && failed !== undefined) {
      const of = { part: [{ metric: failed }], whole: [{ metric: all }] };
      recipes.errors = ratio({ selector, ...of, absentPart: 'zero' });
    }
    if (latency !== null) {
      const metric = latency.slice(0, -'_bucket'.length);
      recipes.latency = quantile({ selector, metric, share: 0.99, scale: 1000, unit: 'ms' });
    }
    if (calls === null) return recipes;
    const perCall = { selector, whole: [{ metric: calls }], absentPart: 'no-data', isMean: true } as const;
    if (tokens !== null) {
      recipes.tokens = ratio({ ...perCall, part: [{ metric: tokens }] });
      recipes.offender = busiest({ selector, tokens, calls, label: 'user' });
    }
    if (spent !== null) {
      recipes.cost = ratio({ ...perCall, part: [{ metric: spent }] });
      recipes.spend = spend({ selector, spent: { metric: spent }, calls: { metric: calls } });
    }
    return recipes;
  },
  usual: LITELLM.map((end) => `litellm_${end}`),
};

const FINISHED = 'vllm:request_success_total';
const LATENCY = 'vllm:e2e_request_latency_seconds';

/** A vLLM server. It counts no failed requests: aborted ones are what it has. */
export const vllm: Profile = {
  name: 'vllm',
  recipes(names, selector) {
    const finished = firstOf(names, FINISHED, 'vllm:request_success');
    const recipes: Recipes = {};
    if (names.has(`${LATENCY}_bucket`)) {
      recipes.latency = quantile({ selector, metric: LATENCY, share: 0.99, scale: 1000, unit: 'ms' });
    }
    if (finished === null) return recipes;
    const whole = [{ metric: finished }];
    const part = [{ metric: finished, matchers: 'finished_reason=~"abort|error"' }];
    recipes.errors = ratio({ selector, part, whole, absentPart: 'zero' });
    const prompt = firstOf(names, 'vllm:request_prompt_tokens_sum', 'vllm:prompt_tokens_total');
    const answer = firstOf(names, 'vllm:request_generation_tokens_sum', 'vllm:generation_tokens_total');
    if (prompt !== null && answer !== null) {
      const tokens = [{ metric: prompt }, { metric: answer }];
      recipes.tokens = ratio({ selector, part: tokens, whole, absentPart: 'no-data', isMean: true });
    }
    return recipes;
  },
  usual: [
    FINISHED,
    `${LATENCY}_bucket`,
    'vllm:request_prompt_tokens_sum',
    'vllm:request_generation_tokens_sum',
  ],
};
