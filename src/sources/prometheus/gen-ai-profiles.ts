import type { MetricNames, Profile, Recipes } from './profile.ts';
import { firstOf } from './profile.ts';
import { type Counter, quantile, ratio } from './recipe.ts';

const TOKENS = 'gen_ai_client_token_usage';
const NEXT_TOKENS = ['input', 'output'].map((kind) => `gen_ai_client_inference_usage_${kind}_tokens_total`);
/** OpenLLMetry counts exceptions by vendor: `llm_openai_chat_completions_exceptions_total` … */
const EXCEPTIONS = /^llm_\w+_exceptions_total$/;

/** The name of a histogram of seconds; the JavaScript exporter writes no unit into the name. */
function durationOf(names: MetricNames, base: string): string | null {
  const found = firstOf(names, `${base}_seconds_count`, `${base}_count`);
  return found?.slice(0, -'_count'.length) ?? null;
}

function ofDuration(duration: string, selector: string): Recipes {
  const calls = `${duration}_count`;
  return {
    errors: ratio({
      selector,
      part: [{ metric: calls, matchers: 'error_type!=""' }],
      whole: [{ metric: calls }],
      absentPart: 'zero',
    }),
    latency: quantile({ selector, metric: duration, share: 0.99, scale: 1000, unit: 'ms' }),
  };
}

/** Tokens over calls. The token histogram's own count has a row for input and one for output. */
function ofTokens(
  tokens: readonly Counter[],
  { calls, selector }: { calls: string; selector: string },
): Recipes {
  if (tokens.length === 0) return {};
  const whole = [{ metric: calls }];
  return { tokens: ratio({ selector, part: tokens, whole, absentPart: 'no-data', isMean: true }) };
}

const present = (names: MetricNames, wanted: readonly string[]): Counter[] =>
  wanted.filter((name) => names.has(name)).map((metric) => ({ metric }));

function stableRecipes(names: MetricNames, selector: string): Recipes {
  const duration = durationOf(names, 'gen_ai_client_operation_duration');
  if (duration === null) return {};
  const tokens = present(names, [`${TOKENS}_sum`]);
  return { ...ofDuration(duration, selector), ...ofTokens(tokens, { calls: `${duration}_count`, selector }) };
}

/** Semantic conventions 1.41. */
export const otel: Profile = {
  name: 'otel',
  recipes: stableRecipes,
  usual: ['gen_ai_client_operation_duration_seconds_count', `${TOKENS}_sum`],
};

/** The names that replace them in the conventions' new home. */
export const otelNext: Profile = {
  name: 'otel-next',
  recipes(names, selector) {
    const duration = durationOf(names, 'gen_ai_client_inference_duration');
    if (duration === null) return {};
    const tokens = present(names, NEXT_TOKENS);
    return {
      ...ofDuration(duration, selector),
      ...ofTokens(tokens, { calls: `${duration}_count`, selector }),
    };
  },
  usual: ['gen_ai_client_inference_duration_seconds_count', ...NEXT_TOKENS],
};

/** The names of 1.41, and exceptions counted apart. */
export const openllmetry: Profile = {
  name: 'openllmetry',
  recipes(names, selector) {
    const exceptions = [...names].filter((name) => EXCEPTIONS.test(name)).sort();
    const duration = durationOf(names, 'gen_ai_client_operation_duration');
    const isItself = exceptions.length > 0 || names.has('gen_ai_client_generation_choices_total');
    if (!isItself || duration === null) return {};
    const whole = [{ metric: `${duration}_count` }];
    const part = exceptions.map((metric) => ({ metric }));
    const errors = ratio({ selector, part, whole, absentPart: 'zero' });
    return { ...stableRecipes(names, selector), ...(part.length > 0 ? { errors } : {}) };
  },
  usual: [...otel.usual, 'gen_ai_client_generation_choices_total'],
};
