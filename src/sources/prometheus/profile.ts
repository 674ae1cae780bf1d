import type { Measure } from '../metric-source.ts';
import type { Recipe } from './recipe.ts';

/** The names of the metrics that a service has. */
export type MetricNames = ReadonlySet<string>;

export type Recipes = Partial<Record<Measure, Recipe>>;

/** The metrics of one instrumentation or gateway. */
export interface Profile {
  name: 'otel' | 'otel-next' | 'openllmetry' | 'litellm' | 'vllm' | 'llm-incident';
  /** What can be measured with the metrics that are there. */
  recipes(names: MetricNames, selector: string): Recipes;
  /** Metrics that are assumed when the profile was chosen by name and nothing was seen yet. */
  usual: readonly string[];
}

/** The first of these metrics that is there. */
export function firstOf(names: MetricNames, ...candidates: readonly string[]): string | null {
  return candidates.find((name) => names.has(name)) ?? null;
}
