import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { takeDueLeases } from '../../mitigation/lease-store.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { showLease } from '../effects.ts';
import { type Flow, minutesToMs, serviceConfig } from '../flow.ts';
import { summon } from '../page/summon.ts';
import { HOUR_MS } from './lease.ts';

/**
 * Policy: a lease that ends asks its owner in the room; without an answer the owner is paged, and then once a day. It
 * never takes anything back by itself.
 */
export async function tickLeases(flow: Pick<Flow, 'db' | 'clock' | 'config' | 'pager'>): Promise<void> {
  const now = flow.clock.now();
  const answerBy = new Date(now.getTime() + minutesToMs(flow.config.lease_answer_minutes));
  const again = new Date(now.getTime() + 24 * HOUR_MS);
  await flow.db.transaction().execute(async (tx) => {
    for (const mitigation of await takeDueLeases(tx, { now, answerBy, again })) {
      if (mitigation.lease_told === 1) await ask(tx, mitigation, now);
      else await remind(flow, tx, { mitigation, now });
    }
  });
}

async function ask(tx: Tx, mitigation: Mitigation, now: Date): Promise<void> {
  const { id, incident_id: incidentId } = mitigation;
  if (incidentId === null) return;
  const text = `The lease has ended: ${whatOf(mitigation)}. Its owner was asked.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'lease-ended', actor: null, text });
  await enqueue(tx, showLease(incidentId, id, now));
}

async function remind(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  { mitigation, now }: { mitigation: Mitigation; now: Date },
): Promise<void> {
  const { id, incident_id: incidentId, lease_until: until, lease_told: told } = mitigation;
  if (incidentId === null) return;
  const owner = ownerOf(flow, mitigation);
  const text =
    `Mitigation ${id} of ${nameOf(incidentId)} is still on and nobody answered: ${whatOf(mitigation)}. ` +
    `Keep it (\`/llm-incident lease ${id} keep HOURS REASON\`) or take it back (\`/llm-incident mitigate undo ${id}\`).`;
  await summon(flow, tx, {
    incidentId,
    people: owner === null ? [] : [owner],
    text,
    key: `lease:${id}:${until?.getTime() ?? 0}:${told}`,
    now,
  });
  const said = `Nobody answered about the lease: ${whatOf(mitigation)}. Its owner was called.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'lease-unanswered', actor: null, text: said });
}

/** Who is asked about it; null where nobody is named. */
export function ownerOf(
  flow: Pick<Flow, 'config'>,
  { lease_owner: owner, service }: Pick<Mitigation, 'lease_owner' | 'service'>,
): string | null {
  return owner ?? serviceConfig(flow, service)?.owner ?? null;
}

const whatOf = ({ plan }: Mitigation) => describePlan(parsePlan(plan));
