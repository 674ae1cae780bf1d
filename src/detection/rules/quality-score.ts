import { meanBelow } from '../compare/means.ts';
import { comparableReadings, judgeChange, judgeChangeText } from '../judge-drift.ts';
import { type Judgement, verdictOf } from '../judgement.ts';
import type { Readings, Rule } from '../rule.ts';
import { ESCALATES, OPENS, shipped, windowAndBaseline } from '../shipped.ts';

export const QUALITY_SCORE = {
  windowMs: 30 * 60_000,
  baselineMs: 7 * 24 * 3_600_000,
  maxDropRatio: 0.15,
  minBaselineN: 200,
  minWindowN: 100,
} as const;

/** The share of its baseline that a window must keep. */
export const KEPT_RATIO = 1 - QUALITY_SCORE.maxDropRatio;

type Names = 'window' | 'baseline';

/**
 * Policy: fires when the mean score of the last 30 minutes is more than 15 % below the mean of the last 7
 * days outside incidents, from at least 100 scores against 200; past its bound when the one-sided 95 % bound
 * is below too. Only scores of one judge are compared.
 */
export const qualityScore: Rule<Names> = {
  id: 'quality.score',
  warning: false,
  metric: 'Quality score',
  title: 'Answers got worse',
  policy: 'the mean score of the window is more than the threshold (a share) below the mean of the baseline',
  unit: 'score',
  neutral: 0,
  defaults: shipped({
    threshold: QUALITY_SCORE.maxDropRatio,
    clear_threshold: 0.1,
    window_minutes: QUALITY_SCORE.windowMs / 60_000,
    min_samples: QUALITY_SCORE.minWindowN,
    min_baseline: QUALITY_SCORE.minBaselineN,
    ...OPENS.atOnce,
    ...ESCALATES.quality,
  }),
  asks: (settings) => windowAndBaseline('score', settings),
  judge: (readings, settings) => verdictOf('quality.score', judge(readings, settings)),
};

function judge(readings: Readings<Names>, settings: Rule['defaults']): Judgement {
  const judgement = meanBelow(comparableReadings(readings), settings);
  const isTooLittle = judgement.state === 'insufficient';
  return isTooLittle ? { ...judgement, detail: judgeChangeText(judgeChange(readings)) } : judgement;
}
