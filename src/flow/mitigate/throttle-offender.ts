import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import { enqueue } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, findIncident, milestonesOf } from '../../incident/incident-store.ts';
import { mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { AUTOMATION, parsePlan } from '../../mitigation/plan.ts';
import { type Setting, valueIn } from '../../mitigation/serving.ts';
import { activeMinutes } from '../../sources/effect-store.ts';
import { refreshCard } from '../effects.ts';
import { type Flow, minutesToMs, serviceConfig } from '../flow.ts';
import { offenderOf } from '../watch/offender.ts';
import { approveByItself } from './approve-by-itself.ts';
import { describeProposal } from './describe-proposal.ts';
import { propose } from './propose.ts';

const payload = z.object({ incidentId: z.number(), rule: z.string(), offender: z.string() });

const BASELINE_MS = minutesToMs(7 * 24 * 60);
/** The window of the rules that name somebody: its own calls are no baseline. */
const WINDOW_MS = minutesToMs(15);
/** For one who was not there before. */
const WITHOUT_BASELINE = 10;

/** Limits whom the evidence names, by itself where the team approved that before; else it is proposed to people. */
export async function throttleOffender(flow: Flow, job: Job): Promise<void> {
  const { incidentId, rule, offender: named } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || !LIVE.includes(incident.status)) return;
  if (flow.automation === 'off') return note(flow, incident, 'Not run: automation is switched off.');
  // The newest evidence decides, as it does for the standing approval.
  const offender = (await offenderOf(flow, incident)) ?? named;
  const setting = `limit:${offender}`;
  if (await wasRun(flow, incident, setting)) return;
  const { to, already } = await limitFor(flow, incident, setting);
  if (already !== null) return note(flow, incident, `Not run: ${offender} is limited to ${already} already.`);
  const why = `${rule} names ${offender}.`;
  const outcome = await propose(flow, { incident, by: AUTOMATION, wanted: [{ setting, to }], why });
  switch (outcome.kind) {
    case 'proposed':
    case 'already-proposed':
      if (parsePlan(outcome.mitigation.plan).standing !== null)
        await approveByItself(flow, outcome.mitigation);
      return;
    case 'target-unreachable':
      throw new ExternalError(outcome.problem, { service: 'target', retryable: true });
    default:
      return note(flow, incident, `Not run: ${describeProposal(outcome)}`);
  }
}

/** It was approved before; the job was cut short after that. */
async function wasRun(flow: Flow, { id }: Incident, setting: Setting): Promise<boolean> {
  const known = await mitigationsOf(flow.db, id);
  return known.some(
    ({ proposed_by: by, status, plan }) =>
      by === AUTOMATION &&
      status !== 'proposed' &&
      status !== 'stale' &&
      parsePlan(plan).steps.some((step) => step.setting === setting),
  );
}

/**
 * Policy: the configured rate; without one the offender's own before the incident, in the minutes in which it called; ten a
 * minute for one who was not there. Never more than everybody may. `already`: the limit that is as low already.
 */
export async function limitFor(
  flow: Flow,
  incident: Incident,
  setting: Setting,
): Promise<{ to: number; already: number | null }> {
  const { environment } = incident;
  const service = incident.service ?? '';
  const rate =
    serviceConfig(flow, service)?.throttle?.requests_per_minute ?? (await ownRate(flow, incident, setting));
  const everybody = `limit:each ${setting.slice('limit:'.length).split(' ')[0]}`;
  const state = (await flow.targetFor({ service, environment })?.read([setting, everybody])) ?? {};
  const [own, each] = [valueIn(state, setting), valueIn(state, everybody)];
  const to = typeof each === 'number' ? Math.min(rate, each) : rate;
  return { to, already: typeof own === 'number' && own <= to ? own : null };
}

async function ownRate(flow: Flow, incident: Incident, setting: Setting): Promise<number> {
  const { started } = await milestonesOf(flow.db, incident.id);
  const until = Math.min(
    (started ?? incident.created_at).getTime(),
    incident.created_at.getTime() - WINDOW_MS,
  );
  const { calls, minutes } = await activeMinutes(flow.db, {
    service: incident.service ?? '',
    environment: incident.environment,
    from: new Date(until - BASELINE_MS),
    to: new Date(until),
    subject: setting.slice('limit:'.length),
  });
  return minutes === 0 ? WITHOUT_BASELINE : Math.ceil(calls / minutes);
}

async function note(flow: Flow, incident: Incident, text: string): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'remediation', actor: null, text });
    await enqueue(tx, refreshCard(incident.id, now));
  });
}
