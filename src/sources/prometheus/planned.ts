import type { Question } from '../metric-source.ts';
import type { Recipe } from './recipe.ts';

/** A question with what answers it. */
export interface Planned {
  question: Question;
  recipe: Recipe;
}

/** One read, which ends with the source's timeout. */
export interface Moment {
  now: Date;
  signal: AbortSignal;
  /** Requests that were answered so far: with none, the source counts as unreachable. */
  answered: number;
}
