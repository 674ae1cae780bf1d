import type { Tx } from '../../db/database.ts';
import { enqueue, type NewJob } from '../../db/jobs.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import {
  type AskStep,
  calledAt,
  dueAfter,
  rolesOf,
  type StakeholderAsk,
  stepsOf,
} from '../../incident/stakeholder.ts';
import { advanceAsk, dueAsks, startAsks, stopAsk } from '../../incident/stakeholder-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { notice, refreshCard, roomLane } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { summon } from '../page/summon.ts';

export const ASK_STAKEHOLDER = 'ask-stakeholder';
export const SHOW_ASKS = 'show-asks';

type Asking = Pick<Flow, 'config' | 'pager'>;

/** Asks whoever must acknowledge the incident, behind the opening of the room to which the message links. */
export async function askStakeholders(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const { contacts, product_sla_minutes: productMinutes } = flow.config;
  // Safety without a contact is a gap that the card shows; product is asked where somebody is named.
  const roles = rolesOf(incident).filter((role) => role !== 'product' || contacts[role].length > 0);
  const asks = roles.map((role) => {
    const steps = stepsOf(role, incident.severity, productMinutes);
    const [first] = steps;
    const last = steps.at(-1);
    return {
      incidentId: incident.id,
      role,
      contacts: contacts[role],
      at: now,
      dueAt: dueAfter(now, last?.afterMinutes ?? 0),
      nextAt: dueAfter(now, first?.afterMinutes ?? 0),
    };
  });
  await startAsks(tx, asks);
  const jobs = asks.flatMap(({ role, contacts: [contact] }) =>
    contact === undefined ? [] : [askJob(incident.id, { role, contact }, now)],
  );
  await enqueue(tx, jobs);
}

function askJob(incidentId: number, asked: { role: string; contact: string }, now: Date): NewJob {
  return {
    kind: ASK_STAKEHOLDER,
    payload: { incidentId, ...asked },
    runAt: now,
    lane: roomLane(incidentId),
    dedupeKey: `ask:${incidentId}:${asked.role}:${asked.contact}`,
  };
}

/** Brings the direct messages of an incident's asks into line with the rows. */
export function showAsks(incidentId: number, now: Date): NewJob {
  return { kind: SHOW_ASKS, payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** Takes every step that is due, each once however long the bot was away. */
export async function tickStakeholders(flow: Asking & Pick<Flow, 'db' | 'clock'>): Promise<void> {
  const now = flow.clock.now();
  for (let due = await dueAsks(flow.db, now); due.length > 0; due = await dueAsks(flow.db, now)) {
    for (const ask of due) await flow.db.transaction().execute((tx) => takeStep(flow, tx, { ask, now }));
  }
}

interface Due {
  ask: StakeholderAsk;
  now: Date;
}

async function takeStep(flow: Asking, tx: Tx, { ask, now }: Due): Promise<void> {
  const incident = await findIncident(tx, ask.incident_id);
  const isNone = incident === undefined || incident.status === 'declined' || incident.status === 'merged';
  // The window is the one that was given at the opening, whatever the severity became.
  const steps = incident === undefined ? [] : stepsFor(incident, ask);
  const step = steps[ask.step];
  if (isNone || step === undefined) {
    await stopAsk(tx, ask);
    await enqueue(tx, showAsks(ask.incident_id, now));
    return;
  }
  const { next, people } = calledAt(step, ask);
  const after = steps[ask.step + 1];
  const moved = await advanceAsk(tx, ask, {
    asked: next === null ? ask.asked : [...ask.asked, next],
    nextAt: after === undefined ? null : dueAfter(ask.asked_at, after.afterMinutes),
    breachedAt: step.does === 'breach' ? now : null,
  });
  if (moved === undefined) return;
  if (step.does === 'breach') return breach(tx, { ask: moved, now });
  if (next !== null) await enqueue(tx, askJob(incident.id, { role: ask.role, contact: next }, now));
  if (step.pages) await callByPhone(flow, tx, { ask: moved, step, people, now });
  await enqueue(tx, refreshCard(incident.id, now));
}

function stepsFor(incident: Incident, ask: StakeholderAsk): readonly AskStep[] {
  const windowMinutes = (ask.due_at.getTime() - ask.asked_at.getTime()) / 60_000;
  const given = { sev1: windowMinutes, sev2: windowMinutes, sev3: windowMinutes };
  return stepsOf(ask.role, incident.severity, given);
}

async function callByPhone(
  flow: Asking,
  tx: Tx,
  { ask, step, people, now }: Due & { step: AskStep; people: readonly string[] },
): Promise<void> {
  const { incident_id: incidentId, role } = ask;
  const text = `${nameOf(incidentId)} is not acknowledged by ${role} after ${step.afterMinutes} minutes. The button in my direct message does it, or \`/llm-incident ack\` here.`;
  await summon(flow, tx, { incidentId, people, text, key: `ask:${role}:${step.afterMinutes}`, now });
}

/** Policy: a breach stays on record, also when somebody acknowledges later. */
async function breach(tx: Tx, { ask, now }: Due): Promise<void> {
  const { incident_id: incidentId, role } = ask;
  const minutes = Math.round((ask.due_at.getTime() - ask.asked_at.getTime()) / 60_000);
  const text = `${role} did not acknowledge ${nameOf(incidentId)} within ${minutes} minutes (by ${ask.due_at.toISOString()}). The breach is on record.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'breach', actor: null, text, data: { role } });
  const subject = nameOf(incidentId);
  const data = { role, dueAt: ask.due_at.toISOString() };
  await audit(tx, { at: now, actor: 'llm-incident', action: 'stakeholder.breached', subject, data });
  await enqueue(tx, [
    notice(incidentId, now, { text, mention: ask.asked }),
    showAsks(incidentId, now),
    refreshCard(incidentId, now),
  ]);
}
