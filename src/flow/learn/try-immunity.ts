import { z } from 'zod';
import { budgetDay } from '../../db/budget-store.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { readPromptTexts } from '../../mitigation/serving-store.ts';
import { provenCasesOf, type ServiceCase } from '../../postmortem/case-store.ts';
import { countingCases, type Immunity } from '../../postmortem/immunity.ts';
import { findImmunityRun, type ImmunityRun, settleImmunityRun } from '../../postmortem/immunity-store.ts';
import { tellOps } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { rehearsalConfig } from '../mitigate/rehearsal-config.ts';
import { storedReplayBudget } from '../mitigate/replay-budget.ts';
import { replayCases } from './replay-cases.ts';

const payload = z.object({ runId: z.number() });
export const MOST_CASES = 200;

/**
 * Tries a changed state on the cases of past incidents and tells the ops channel. Policy: within the calls and costs of
 * the service's rehearsals a day; only what would return is a mention, of the service's owner, else the engineering lead.
 */
export async function tryImmunity(flow: Pick<Flow, 'db' | 'clock' | 'config'>, job: Job): Promise<void> {
  const { runId } = payload.parse(job.payload);
  const run = await findImmunityRun(flow.db, runId);
  if (run === undefined || run.settled_at !== null) return;
  const { service, environment } = run;
  const config = rehearsalConfig(flow, run);
  if (config === null) return;
  const known = await provenCasesOf(flow.db, { service, environment, limit: MOST_CASES });
  const cases = countingCases(
    known.map(({ definition }) => definition),
    service,
  );
  if (cases.length === 0) return;
  const budget = {
    kind: 'immunity' as const,
    of: `${environment}/${service}`,
    day: budgetDay(flow.clock.now()),
  };
  const result = await replayCases({
    ...{ service, environment, config, cases, candidate: run.state },
    budget: storedReplayBudget(flow.db, budget, config),
    texts: await readPromptTexts(flow.db),
  });
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    if (!(await settleImmunityRun(tx, { id: runId, result, at: now }))) return;
    const mention = result.returning.length === 0 ? [] : ownersOf(flow, service);
    const text = describeRun(run, result, known);
    await enqueue(tx, tellOps({ key: `immunity:${runId}`, text, mention }, now));
  });
}

function ownersOf(flow: Pick<Flow, 'config'>, service: string): string[] {
  const owner = serviceConfig(flow, service)?.owner;
  return owner === undefined ? flow.config.contacts.engineering_lead.slice(0, 1) : [owner];
}

/** Policy: a private incident is not named outside its room. */
function describeRun(run: ImmunityRun, result: Immunity, known: readonly ServiceCase[]): string {
  const hidden = new Set(
    known.filter(({ isPrivate }) => isPrivate).map(({ definition }) => definition.incidentId),
  );
  const names = result.returning.map(({ incident }) =>
    hidden.has(incident) ? 'a private incident' : incident,
  );
  const failing = result.returning.reduce((sum, { cases }) => sum + cases.length, 0);
  const silent =
    result.unanswered === 0 ? '' : ` ${result.unanswered} got no answer: ${result.problems.join('; ')}.`;
  const tried = `${result.cases} ${result.cases === 1 ? 'case' : 'cases'} of past incidents`;
  if (names.length > 0) {
    const what = `this change brings ${listed([...new Set(names)])} back`;
    return `${run.service}: ${what}. ${run.change}; ${failing} of ${tried} fail.${silent}`;
  }
  const outcome = result.passed === 0 ? 'nothing could be told' : 'none fails';
  return `${run.service}: ${run.change}. Tried on ${tried}: ${outcome}.${silent}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
