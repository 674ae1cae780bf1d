import type { CanariesConfig } from '../config/content.ts';
import type { Db } from '../db/database.ts';
import { type CanaryOutcome, lastRuns } from './canary-store.ts';
import type { Answer, MetricSource, Question, Reading } from './metric-source.ts';

interface Options {
  db: Db;
  /** Of the configured services. */
  environment: string;
  services: Readonly<Record<string, { canaries?: CanariesConfig | undefined }>>;
}

/** A canary that runs rarely is judged by its last runs, however short the window that asks. */
export const RUNS_IN_SIGHT = 3;

/**
 * Answers the measure `canaries` from the stored runs. Policy: the value is the share of canaries that deviated in both
 * of their last two answered runs; n counts the canaries with two such runs in the window; about names those that
 * deviate, and those whose endpoint failed twice in a row.
 */
export function canarySource({ db, environment, services }: Options): MetricSource {
  const answer = async (question: Question): Promise<Answer> => {
    const config = services[question.service]?.canaries;
    const isOurs = question.measure === 'canaries' && question.environment === environment;
    if (!isOurs || config === undefined || question.isBaseline) return { kind: 'unsupported' };
    const sightMs = RUNS_IN_SIGHT * canaryIntervalMs(config);
    const from = new Date(Math.min(question.from.getTime(), question.to.getTime() - sightMs));
    const runs = await lastRuns(db, { ...question, from });
    return { kind: 'reading', reading: readingOf(config, runs) };
  };
  return { name: 'canaries', read: (questions) => Promise.all(questions.map(answer)) };
}

/** Policy: the interval is lengthened until a day's runs of all prompts fit into the day's budget. */
export function canaryIntervalMs(config: CanariesConfig): number {
  const { every_minutes: wanted, calls_per_day: callsPerDay, prompts } = config;
  return Math.max(wanted, (prompts.length * 24 * 60) / callsPerDay) * 60_000;
}

function readingOf({ prompts }: CanariesConfig, runs: readonly CanaryOutcome[]): Reading {
  const byCanary = Map.groupBy(runs, (run) => run.canary);
  const canaries = prompts.map(({ name }) => outcomeOf(name, byCanary.get(name) ?? []));
  const counted = canaries.filter((one) => one.isCounted);
  const deviating = canaries.filter((one) => one.deviates);
  const about = canaries.flatMap((one) => one.about ?? []);
  return {
    n: counted.length,
    value: counted.length === 0 ? null : deviating.length / counted.length,
    sd: null,
    ...(about.length === 0 ? {} : { about: about.join('; ') }),
  };
}

interface Outcome {
  isCounted: boolean;
  deviates: boolean;
  about: string | null;
}

function outcomeOf(name: string, runs: readonly CanaryOutcome[]): Outcome {
  const answered = runs.filter((run) => run.error === null).slice(0, 2);
  const isCounted = answered.length === 2;
  const deviates = isCounted && answered.every((run) => run.deviates);
  const failure = failureOf(runs);
  const said = [
    deviates ? `${name}: ${answered[0]?.detail ?? 'deviates'}` : null,
    failure === null ? null : `${name} fails: ${failure}`,
  ].filter((text) => text !== null);
  return { isCounted, deviates, about: said.length === 0 ? null : said.join(', ') };
}

/** The newest error when the last two runs of one canary, the newest first, both failed; else null. */
export function failureOf([last, before]: readonly CanaryOutcome[]): string | null {
  return (before?.error ?? null) === null ? null : (last?.error ?? null);
}
