import type { Db } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import { type Incident, type Milestones, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident, milestonesOf } from '../../incident/incident-store.ts';
import type { Assertion } from '../../postmortem/assertion.ts';
import {
  callsSettledByHand,
  casesMadeByHand,
  dropCaseRow,
  keepCase,
  keptCases,
} from '../../postmortem/case-store.ts';
import { caseOf, type EvalCase, proposeCases, type Recorded } from '../../postmortem/eval-case.ts';
import { freezeContent } from '../../sources/call-store.ts';
import { type CaseCall, callOwners, caseCall } from '../../sources/case-call-store.ts';
import { refreshCard, writePostmortem } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import type { Frozen } from './data-points.ts';
import { failingExamples } from './failing-examples.ts';
import { asRecorded, recordedCalls } from './recorded-calls.ts';

type Using = Pick<Flow, 'db' | 'clock' | 'config'>;

const MOST_EXAMPLES = 50;

/** Policy: what people made comes first and stays; what they took out is not proposed again. */
export async function evalCasesOf(
  flow: Pick<Flow, 'db' | 'config'>,
  about: { incident: Incident; evidence: Frozen; milestones: Milestones },
): Promise<EvalCase[]> {
  const { incident } = about;
  const made = await casesMadeByHand(flow.db, incident.id);
  const settled = await callsSettledByHand(flow.db, incident.id);
  const proposed = proposeCases(await recordedOf(flow, about));
  return [...made, ...proposed.filter(({ callId }) => !settled.has(callId))];
}

async function recordedOf(
  flow: Pick<Flow, 'db' | 'config'>,
  about: { incident: Incident; evidence: Frozen; milestones: Milestones },
): Promise<Recorded> {
  const { incident } = about;
  const format = serviceConfig(flow, incident.service)?.format;
  return {
    incidentId: nameOf(incident.id),
    service: incident.service ?? undefined,
    shape: { jsonSchema: format?.json_schema, pattern: format?.pattern },
    ...(await recordedCalls(flow.db, about)),
  };
}

/** Which call: the failing example of that number, a call by its own id, or one by its trace. */
export type WhichCall =
  | { kind: 'example'; number: number }
  | { kind: 'call'; id: number }
  | { kind: 'trace'; traceId: string; spanId: string | null };

export type CaseAdded = { kind: 'added'; made: EvalCase } | { kind: 'no-call' } | { kind: 'no-service' };

/** Makes an eval case of a recorded call, proven or not by what was recorded; in place of an earlier one of that call. */
export async function addEvalCase(
  flow: Using,
  asked: { incident: Incident; by: string; which: WhichCall; assertion: Assertion | null },
): Promise<CaseAdded> {
  const { incident, by, assertion } = asked;
  if (incident.service === null) return { kind: 'no-service' };
  const found = await callFor(flow.db, incident, asked.which);
  if (found === null) return { kind: 'no-call' };
  const evidence = await evidenceOf(flow.db, incident.id);
  const milestones = await milestonesOf(flow.db, incident.id);
  const recorded = await recordedOf(flow, { incident, evidence, milestones });
  const owners = await callOwners(flow.db, [found.id]);
  const made = caseOf(recorded, asRecorded(found, owners.get(found.id)), assertion);
  const at = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const locked = await lockIncident(tx, incident.id);
    await keepCase(tx, { incidentId: incident.id, callId: found.id, made, by, at });
    await freezeContent(tx, [found.id], incident.id);
    const text = `Eval case made of call ${found.id}: ${made.why}`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'eval-case', actor: by, text });
    await enqueue(tx, afterwards(locked ?? incident, at));
  });
  return { kind: 'added', made };
}

/** The document lists the cases, so it is written again where it was written. */
function afterwards({ id, status }: Incident, now: Date) {
  const isOver = status === 'resolved' || status === 'closed';
  return isOver ? [writePostmortem(id, now), refreshCard(id, now)] : [refreshCard(id, now)];
}

async function callFor(db: Db, incident: Incident, which: WhichCall): Promise<CaseCall | null> {
  const place = { service: incident.service ?? '', environment: incident.environment };
  if (which.kind === 'trace') return caseCall(db, { ...place, which });
  if (which.kind === 'call') return caseCall(db, { ...place, which });
  const examples = await failingExamples(db, incident.id, MOST_EXAMPLES);
  const example = examples[which.number - 1];
  return example === undefined ? null : caseCall(db, { ...place, which: { id: example.callId } });
}

export type CaseDropped = { kind: 'dropped'; description: string } | { kind: 'no-case' };

/** Takes the case of that number out; it is not proposed again. */
export async function dropEvalCase(
  flow: Using,
  { incident, by, number }: { incident: Incident; by: string; number: number },
): Promise<CaseDropped> {
  const at = flow.clock.now();
  return flow.db.transaction().execute(async (tx): Promise<CaseDropped> => {
    const locked = await lockIncident(tx, incident.id);
    const found = (await keptCases(tx, incident.id))[number - 1];
    if (found === undefined) return { kind: 'no-case' };
    await dropCaseRow(tx, { incidentId: incident.id, id: found.id, by });
    const text = `Eval case of call ${found.callId ?? 'unknown'} taken out.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'eval-case', actor: by, text });
    await enqueue(tx, afterwards(locked ?? incident, at));
    return { kind: 'dropped', description: found.definition.description };
  });
}
