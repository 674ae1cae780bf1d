import type { LangfuseConfig } from '../../config/sources.ts';
import { ExternalError } from '../../errors.ts';
import { backoffMs } from '../../retry.ts';
import type { Answer, MetricSource, Question } from '../metric-source.ts';
import { mergedReading, type QueriedServices } from '../own-query.ts';
import { MINUTE_MS } from '../stretch.ts';
import { type Asking, fetchAll } from './langfuse-requests.ts';
import { callsReading, type Fetched } from './metrics-answer.ts';
import { type Need, needOf, outcomesNeedOf } from './metrics-query.ts';

const BASELINE_POLL_MS = 6 * 60 * MINUTE_MS;
/** An answer older than so many polls says nothing about now. */
const STALE_POLLS = 2;
const PARALLEL = 4;

/** What is known about each service here: which of the project's traces are its own. */
export type LangfuseServices = Readonly<Record<string, Pick<QueriedServices[string], 'selector'>>>;

/**
 * A Langfuse project: errors, latency, tokens, cost, spend and score of a service, from v2 metrics. Policy: each query
 * is sent at most once in `poll_minutes`, of a baseline every six hours; in between, and while Langfuse refuses, the
 * last answer stands with its age, up to two polls long. A service costs three queries a poll where all of these are
 * watched: 100 queries a day (Langfuse's Hobby plan) carry one service at `poll_minutes: 60`. Single scores, for
 * early warnings, come from v3 scores where the service is the whole project (`selector: "*"`).
 */
export function langfuseSource(
  name: string,
  config: LangfuseConfig,
  services: LangfuseServices,
): MetricSource {
  const project: Project = { name, config, services, polls: new Map(), failures: 0, pause: undefined };
  return {
    name,
    async read(questions, now) {
      const needs = new Map<string, Need>();
      for (const question of questions) {
        for (const need of [needOf(question, now), outcomesNeedOf(question, now)]) {
          if (need !== null) needs.set(need.key, need);
        }
      }
      const due = [...needs.values()].filter((need) => ageMs(project, need, now) >= pollMs(project, need));
      await pollAll(project, due, now);
      dropOld(project, now);
      return questions.map((question) => answerFor(project, question, now));
    },
  };
}

interface Project {
  name: string;
  config: LangfuseConfig;
  services: LangfuseServices;
  polls: Map<string, { atMs: number; fetched: Fetched[] }>;
  failures: number;
  /** After a failure Langfuse is left alone until then. */
  pause: { untilMs: number; failure: ExternalError } | undefined;
}

function pollMs({ config }: Project, { isBaseline }: Pick<Need, 'isBaseline'>): number {
  return isBaseline ? BASELINE_POLL_MS : config.poll_minutes * MINUTE_MS;
}

function ageMs({ polls }: Project, { key }: Need, now: Date): number {
  const atMs = polls.get(key)?.atMs ?? Number.NEGATIVE_INFINITY;
  // A clock that went back asks anew.
  return now.getTime() < atMs ? Number.POSITIVE_INFINITY : now.getTime() - atMs;
}

async function pollAll(project: Project, due: readonly Need[], now: Date): Promise<void> {
  const deadlineMs = Date.now() + project.config.timeout_seconds * 1000;
  const rest = due.values();
  const isPaused = () => project.pause !== undefined && now.getTime() < project.pause.untilMs;
  const work = async () => {
    for (const need of rest) {
      const timeoutMs = deadlineMs - Date.now();
      if (isPaused() || timeoutMs <= 0) return;
      await poll(project, need, { now, timeoutMs });
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, due.length) }, work));
}

async function poll(project: Project, need: Need, { now, timeoutMs }: { now: Date; timeoutMs: number }) {
  const { name, config, services } = project;
  const asking: Asking = { name, config, timeoutMs };
  try {
    const fetched = await fetchAll(asking, need.fetches, (service) => services[service]?.selector);
    project.polls.set(need.key, { atMs: now.getTime(), fetched });
    project.failures = 0;
    project.pause = undefined;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    project.failures += 1;
    const pauseMs = Math.max(thrown.retryAfterMs ?? 0, backoffMs(project.failures));
    project.pause = { untilMs: now.getTime() + pauseMs, failure: thrown };
  }
}

function dropOld({ polls }: Project, now: Date): void {
  const oldestMs = now.getTime() - STALE_POLLS * BASELINE_POLL_MS;
  for (const [key, { atMs }] of polls) if (atMs < oldestMs) polls.delete(key);
}

/** Throws the failure where it leaves a question without any answer that is young enough. */
function answerFor(project: Project, question: Question, now: Date): Answer {
  const need = needOf(question, now);
  if (need === null) return { kind: 'unsupported' };
  const found = project.polls.get(need.key);
  const age = ageMs(project, need, now);
  if (found === undefined || age >= STALE_POLLS * pollMs(project, need)) {
    if (project.pause !== undefined) throw project.pause.failure;
    return { kind: 'problem', problem: `${project.name} was too slow to be asked for all of its measures` };
  }
  const readings = [];
  for (const fetched of found.fetched) {
    if (fetched.kind === 'problem') return fetched;
    if (fetched.kind === 'reading') readings.push(fetched.reading);
    if (fetched.kind === 'calls') readings.push(callsReading(fetched, shifted(question, age)));
  }
  const minutes = need.isBaseline ? 0 : Math.floor(age / MINUTE_MS);
  const about = minutes > 0 ? { about: `as of ${minutes} min ago` } : {};
  const outcomes = outcomesOf(project, question, now);
  return { kind: 'reading', reading: { ...mergedReading(readings), ...about, ...outcomes } };
}

/** A source without single outcomes says nothing of them; that stops no rule that can do without. */
function outcomesOf(project: Project, question: Question, now: Date): { outcomes?: number[] } {
  const need = outcomesNeedOf(question, now);
  const [fetched] = need === null ? [] : (project.polls.get(need.key)?.fetched ?? []);
  return fetched?.kind === 'outcomes' && fetched.outcomes.length > 0 ? { outcomes: fetched.outcomes } : {};
}

/** The question as it stood when what answers it was asked for. */
function shifted(question: Question, age: number) {
  const window = { from: new Date(question.from.getTime() - age), to: new Date(question.to.getTime() - age) };
  return { measure: question.measure, window, excluding: question.excluding ?? [] };
}
