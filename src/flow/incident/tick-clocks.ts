import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Row } from '../../db/schema.ts';
import { fireDueClocks } from '../../incident/clock-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident, milestonesOf } from '../../incident/incident-store.ts';
import { auditExpiry } from '../../mitigation/audit-store.ts';
import { expireProposals } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice, refreshCard, showProposal } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { leadAfterMs } from '../page/escalation.ts';
import { climbAt } from './contain-ladder.ts';
import { updateOverdue } from './update-clock.ts';

const LATE_MS = 5 * 60_000;

/** Fires what is due, each clock once, however long the bot was away; expires proposals that nobody answered. */
export async function tickClocks(flow: Pick<Flow, 'db' | 'clock' | 'config'>): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    for (const clock of await fireDueClocks(tx, now)) await fire(flow, tx, { clock, now });
  });
  await flow.db.transaction().execute(async (tx) => {
    for (const { id, incident_id, plan, plan_hash } of await expireProposals(tx, now)) {
      await auditExpiry(tx, { id, plan_hash, now });
      if (incident_id === null) continue;
      const what = describePlan(parsePlan(plan));
      const text = `Nobody decided in time: ${what}.`;
      await addToTimeline(tx, { incidentId: incident_id, at: now, kind: 'expired', actor: null, text });
      const told = `Proposal ${id} has expired, because nobody decided in time: ${what}. Nothing was changed; propose it again if it is still wanted.`;
      const shown = [showProposal(incident_id, id, now), refreshCard(incident_id, now)];
      await enqueue(tx, [...shown, notice(incident_id, now, { text: told, aloud: true })]);
    }
  });
}

async function fire(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { clock, now }: { clock: Row<'clock'>; now: Date },
): Promise<void> {
  const incident = await findIncident(tx, clock.incident_id);
  if (incident === undefined) return;
  const ladder = await climbAt(flow, tx, { clock, incident, now });
  const said = ladder === 'not-a-step' ? await saidBy(flow, tx, { incident, clock, now }) : null;
  if (said === null) return;
  const isLate = now.getTime() - clock.due_at.getTime() > LATE_MS;
  const text = isLate ? `${said.text} (This was due at ${clock.due_at.toISOString()}.)` : said.text;
  await addToTimeline(tx, {
    incidentId: incident.id,
    at: now,
    kind: `clock-${clock.kind}`,
    actor: null,
    text,
  });
  await enqueue(tx, [notice(incident.id, now, { ...said, text }), refreshCard(incident.id, now)]);
}

interface Said {
  text: string;
  mention: string[];
}

async function saidBy(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  about: { incident: Incident; clock: Row<'clock'>; now: Date },
): Promise<Said | null> {
  const { incident, clock } = about;
  const { kind } = clock;
  if (kind === 'update' || kind === 'update-lead') return updateOverdue(flow, tx, about);
  if (kind !== 'lead') return null;
  // Paged by hand once somebody was on it: nobody has to answer a second time.
  const { acknowledged } = await milestonesOf(tx, incident.id);
  return acknowledged === undefined ? notAcknowledged(flow, incident) : null;
}

/** Paged, and nobody has said that they are on it: the engineering lead is told. */
function notAcknowledged(flow: Pick<Flow, 'config'>, incident: Incident): Said {
  const minutes = Math.round(leadAfterMs(flow, incident) / 60_000);
  return {
    text: `Nobody has acknowledged ${nameOf(incident.id)} for ${minutes} minutes. *I'm on it* on the card takes it.`,
    mention: flow.config.contacts.engineering_lead,
  };
}
