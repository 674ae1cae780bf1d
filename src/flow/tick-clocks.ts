import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import type { Row } from '../db/schema.ts';
import { fireDueClocks } from '../incident/clock-store.ts';
import { type Incident, isPerson, nameOf } from '../incident/incident.ts';
import { addToTimeline, findIncident } from '../incident/incident-store.ts';
import { expireProposals } from '../mitigation/mitigation-store.ts';
import { parsePlan } from '../mitigation/plan.ts';
import { describePlan } from '../mitigation/shift.ts';
import { approverIds } from './approvers.ts';
import { notice, refreshCard, showProposal } from './effects.ts';
import { leadAfterMs } from './escalation.ts';
import { type Flow, serviceConfig } from './flow.ts';

const LATE_MS = 5 * 60_000;

/** Fires what is due, each clock once, however long the bot was away; expires proposals that nobody answered. */
export async function tickClocks(flow: Pick<Flow, 'db' | 'clock' | 'config'>): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    for (const clock of await fireDueClocks(tx, now)) await fire(flow, tx, { clock, now });
  });
  await flow.db.transaction().execute(async (tx) => {
    for (const { id, incident_id, plan } of await expireProposals(tx, now)) {
      if (incident_id === null) continue;
      const what = describePlan(parsePlan(plan));
      const text = `Nobody decided in time: ${what}.`;
      await addToTimeline(tx, { incidentId: incident_id, at: now, kind: 'expired', actor: null, text });
      const told = `Proposal ${id} has expired, because nobody decided in time: ${what}. Nothing was changed; propose it again if it is still wanted.`;
      const shown = [showProposal(incident_id, id, now), refreshCard(incident_id, now)];
      await enqueue(tx, [...shown, notice(incident_id, now, { text: told })]);
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
  const said = saidBy(flow, incident, clock.kind);
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

function saidBy(flow: Pick<Flow, 'config'>, incident: Incident, kind: string): Said {
  if (kind === 'contain') return notContained(flow, incident);
  return kind === 'lead' ? notAcknowledged(flow, incident) : postmortemReminder(flow, incident, kind);
}

/** Paged, and nobody has said that they are on it: the engineering lead is told. */
function notAcknowledged(flow: Pick<Flow, 'config'>, incident: Incident): Said {
  const minutes = Math.round(leadAfterMs(flow, incident) / 60_000);
  return {
    text: `Nobody has acknowledged ${nameOf(incident.id)} for ${minutes} minutes. *I'm on it* on the card takes it.`,
    mention: flow.config.contacts.engineering_lead,
  };
}

/** Ten minutes and users still meet it: the fallback is named and those who may approve it are asked. */
function notContained(flow: Pick<Flow, 'config'>, incident: Incident): Said {
  const minutes = flow.config.contain_within_minutes;
  const hasTarget = serviceConfig(flow, incident.service)?.target !== undefined;
  const next = hasTarget
    ? 'The fallback is one button away: *Contain* on the card disables the feature once one of you approves.'
    : 'No target is configured for it: switch it off where it runs, then say so with `/llm-incident contain HOW`.';
  return {
    text: `${nameOf(incident.id)} is not contained after ${minutes} minutes. ${next}`,
    mention: approverIds(flow, incident.service),
  };
}

function postmortemReminder(flow: Pick<Flow, 'config'>, incident: Incident, kind: string): Said {
  const hours = 48 - Number(/(\d+)/.exec(kind)?.[1]);
  const when = hours <= 0 ? 'is due now' : `is due in ${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  const declarer = isPerson(incident.declared_by) ? incident.declared_by : null;
  const owner = incident.commander ?? serviceConfig(flow, incident.service)?.owner ?? declarer;
  return {
    text: `The post-mortem of ${nameOf(incident.id)} ${when}. \`/llm-incident postmortem\` shows what is missing.`,
    mention: owner === null ? [] : [owner],
  };
}
