import type { Tx } from '../../db/database.ts';
import type { Row, Severity } from '../../db/schema.ts';
import { restartClock, settleClocks, startClocks } from '../../incident/clock-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { type Flow, minutesToMs } from '../flow.ts';

type Configured = Pick<Flow, 'config'>;

/** When the room should hear the next time, by the cadence of its severity; null: whenever there is news. */
export function nextUpdateAt(
  { config }: Configured,
  { severity }: { severity: Severity },
  now: Date,
): Date | null {
  const minutes = config.update_minutes[severity];
  return minutes === 0 ? null : new Date(now.getTime() + minutesToMs(minutes));
}

/** The next update is due then; null: none is expected. What was overdue is settled. */
export async function expectUpdate(
  tx: Tx,
  { incidentId, dueAt, now }: { incidentId: number; dueAt: Date | null; now: Date },
): Promise<void> {
  await settleClocks(tx, { incidentId, kinds: ['update', 'update-lead'], state: 'met', at: now });
  if (dueAt !== null) await restartClock(tx, { incidentId, kind: 'update', dueAt });
}

/** Policy: people who still meet it, or may again, are told how it stands; once it is mitigated there is no hurry. */
const WANTS_UPDATES: readonly Incident['status'][] = ['triage', 'open', 'contained'];

/**
 * What is said when an update is overdue. Policy: whoever does comms is asked, else the commander; a period later the
 * commander; then no phone is pushed for it and the card counts, until somebody says how it stands. Where nobody has
 * either role the thread alone says it: for those who do not come there is the ladder.
 */
export async function updateOverdue(
  flow: Configured,
  tx: Tx,
  { incident, clock, now }: { incident: Incident; clock: Pick<Row<'clock'>, 'kind'>; now: Date },
): Promise<{ text: string; mention: string[] } | null> {
  if (!WANTS_UPDATES.includes(incident.status)) return null;
  const { id: incidentId, commander, comms } = incident;
  const how = 'Tell them with `/llm-incident update`.';
  if (clock.kind === 'update-lead') {
    if (commander === null) return null;
    const text = `Nobody has said for a long time how ${nameOf(incidentId)} stands. ${how} You are not asked again; the card counts on.`;
    return { text, mention: [commander] };
  }
  const leadAt = nextUpdateAt(flow, incident, now);
  if (leadAt !== null) await restartClock(tx, { incidentId, kind: 'update-lead', dueAt: leadAt });
  const asked = comms ?? commander;
  return {
    text: `An update on ${nameOf(incidentId)} is due. ${how}`,
    mention: asked === null ? [] : [asked],
  };
}

/** The first update is due one period after the opening. */
export async function startUpdateClock(
  flow: Configured,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const dueAt = nextUpdateAt(flow, incident, now);
  if (dueAt !== null) await startClocks(tx, [{ incidentId: incident.id, kind: 'update', dueAt }]);
}
