import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, LIVE, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident } from '../../incident/incident-store.ts';
import { type Role, setRole } from '../../incident/people-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { invitePeople, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';

export type RoleTaken =
  | { kind: 'ended' }
  /** A bot, or nobody of this workspace. */
  | { kind: 'nobody' }
  /** It was like that already. */
  | { kind: 'same' }
  /** Only whoever holds it lets it go. */
  | { kind: 'not-theirs'; holder: string }
  | { kind: 'done'; before: string | null };

/**
 * Somebody takes a role, hands it to another (`to`) or lets it go (`to` null). Policy: a role has one holder at a time;
 * taking it over needs no leave of the one before, letting it go is up to its holder; only a person holds one, because
 * what goes wrong later is said to its holder alone.
 */
export async function takeRole(
  flow: Pick<Flow, 'db' | 'clock' | 'chat' | 'log'>,
  { incident, by, role, to }: { incident: Incident; by: string; role: Role; to: string | null },
): Promise<RoleTaken> {
  const now = flow.clock.now();
  if (to !== null && to !== by && !(await canHold(flow, to))) return { kind: 'nobody' };
  const name = to === null || to === by ? '' : await nameOrId(flow, to);
  return flow.db.transaction().execute(async (tx) => {
    const current = (await lockIncident(tx, incident.id)) ?? incident;
    if (!LIVE.includes(current.status)) return { kind: 'ended' };
    const before = current[role];
    if (to === null && before !== null && before !== by) return { kind: 'not-theirs', holder: before };
    if (!(await setRole(tx, { incidentId: incident.id, role, person: to }))) return { kind: 'same' };
    const text = describe(role, { to, by, name });
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'role', actor: by, text });
    await auditRole(tx, { incident, by, role, to, now });
    if (to !== null && to !== by) await enqueue(tx, invitePeople(incident.id, [to], now));
    await enqueue(tx, refreshCard(incident.id, now));
    return { kind: 'done', before };
  });
}

/** While Slack cannot be asked, whoever was named is taken for a person. */
async function canHold(flow: Pick<Flow, 'chat'>, person: string): Promise<boolean> {
  try {
    return await flow.chat.isMember(person);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return true;
  }
}

/** Who does what is on the audit trail, with who decided it. */
export async function auditRole(
  tx: Tx,
  asked: { incident: Incident; by: string; role: Role; to: string | null; now: Date },
): Promise<void> {
  const { incident, by: actor, role, to, now: at } = asked;
  await audit(tx, {
    at,
    actor,
    action: `incident.${role}`,
    subject: nameOf(incident.id),
    data: { person: to },
  });
}

function describe(role: Role, { to, by, name }: { to: string | null; by: string; name: string }): string {
  if (to === null) return `Is no longer ${role}; nobody is.`;
  return to === by ? `Is ${role} now.` : `Made ${name} ${role}.`;
}
