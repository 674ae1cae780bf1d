import type { Db } from '../../db/database.ts';
import type { Plan, Step } from '../../mitigation/plan.ts';
import { type LiveTraffic, type StepFacts, WATCHED_MS } from '../../mitigation/proof-table.ts';
import { CACHE_MS } from '../../mitigation/served-proof.ts';
import { kindOf, subjectOf } from '../../mitigation/serving.ts';
import { type CallWindow, servedSince } from '../../sources/call-statistics-store.ts';
import { callsAboveCap, callsBy, callsOfType, outputsWith } from '../../sources/effect-store.ts';

const BEFORE_MS = 60 * 60_000;

interface Applied {
  plan: Plan;
  appliedAt: Date;
  now: Date;
}

/** What live calls show since a plan was applied: everything that the proof of its kinds of settings reads. */
export async function liveTraffic(db: Db, { plan, appliedAt, now }: Applied): Promise<LiveTraffic> {
  const { service, environment, steps } = plan;
  const about = { service, environment };
  const settledAt = new Date(appliedAt.getTime() + CACHE_MS);
  const facts = new Map<string, StepFacts>();
  for (const step of steps) {
    const found = await factsOf(db, step, { window: { ...about, from: settledAt, to: now }, appliedAt });
    if (found !== null) facts.set(step.setting, found);
  }
  const kinds = steps.map(({ setting }) => kindOf(setting));
  const needsSettled = kinds.includes('split') || kinds.includes('fallback');
  return {
    appliedAt,
    now,
    variants: await servedSince(db, { ...about, since: appliedAt }),
    settled: needsSettled ? await servedSince(db, { ...about, since: settledAt }) : [],
    modelsBefore: kinds.includes('fallback') ? await modelsBefore(db, { ...about, appliedAt }) : [],
    facts,
  };
}

/** A request that was under way when it was applied ends later; it counts as of before by its model alone. */
async function modelsBefore(
  db: Db,
  { appliedAt, ...about }: { service: string; environment: string; appliedAt: Date },
): Promise<string[]> {
  const since = new Date(appliedAt.getTime() - BEFORE_MS);
  const variants = await servedSince(db, { ...about, since });
  return variants
    .filter(({ firstAt }) => firstAt <= appliedAt)
    .flatMap(({ responseModel, requestModel }) => responseModel ?? requestModel ?? []);
}

async function factsOf(
  db: Db,
  { setting, from, to }: Step,
  seen: { window: CallWindow; appliedAt: Date },
): Promise<StepFacts | null> {
  const { window, appliedAt } = seen;
  const subject = subjectOf(setting) ?? '';
  const before = (ms: number, until: Date) => new Date(until.getTime() - ms);
  switch (kindOf(setting)) {
    case 'disclaimer':
      return outputsWith(db, { ...window, text: String(to ?? from), anyCase: false });
    case 'blocked':
      return outputsWith(db, { ...window, text: subject, anyCase: true });
    case 'token-cap':
      return to === null ? null : callsAboveCap(db, { ...window, cap: Number(to) });
    case 'limit':
      return callsBy(db, { ...window, from: before(WATCHED_MS, window.to), subject });
    case 'type': {
      const was = await callsOfType(db, {
        ...window,
        from: before(BEFORE_MS, appliedAt),
        to: appliedAt,
        type: subject,
      });
      const since = await callsOfType(db, { ...window, from: appliedAt, type: subject });
      const settled = await callsOfType(db, { ...window, type: subject });
      return { n: settled.n, hits: since.n, before: was.n, lastAt: since.lastAt };
    }
    default:
      return null;
  }
}
