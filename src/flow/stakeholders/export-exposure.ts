import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import type { ExposedUser } from '../../sources/exposure-store.ts';
import type { Flow } from '../flow.ts';
import { everyExposed, exposureOf, exposureRights } from './exposure.ts';

export type Exported = { kind: 'sent'; users: number } | { kind: 'not-allowed' } | { kind: 'nobody' };

/**
 * The whole list as CSV, to the person who asked and nowhere else. Policy: never into a channel; the audit says who took
 * it, how many users are in it and its digest, before it leaves. Throws ExternalError when Slack does not take it.
 */
export async function exportExposure(
  flow: Flow,
  { incident, by, origin }: { incident: Incident; by: string; origin: string },
): Promise<Exported> {
  if (!(await exposureRights(flow, incident, by)).act) return { kind: 'not-allowed' };
  const exposure = await exposureOf(flow, incident);
  const users = exposure === null ? [] : await everyExposed(flow, exposure);
  if (users.length === 0) return { kind: 'nobody' };
  const content = csvOf(users);
  const at = flow.clock.now();
  const name = nameOf(incident.id);
  await flow.db.transaction().execute(async (tx) => {
    const data = { users: users.length, digest: digestOf(content) };
    await audit(tx, { at, actor: by, action: 'exposure.exported', subject: name, data });
    const text = `The list of ${users.length} exposed users was exported.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'exposure', actor: by, text });
  });
  await flow.chat.upload({
    key: `exposure:${origin}`,
    channelId: await flow.chat.directChannel(by),
    filename: `exposed-users-${name}.csv`,
    title: `Exposed users ${name} (${at.toISOString()})`,
    content,
    comment: '',
    retried: false,
  });
  return { kind: 'sent', users: users.length };
}

/** A cell that begins like a formula is quoted, because a user names their own id. */
export function csvOf(users: readonly ExposedUser[]): string {
  const rows = users.map(({ userId, calls, firstAt, lastAt }) =>
    [cell(userId), calls, firstAt.toISOString(), lastAt.toISOString()].join(','),
  );
  return ['user_id,bad_outputs,first_at,last_at', ...rows, ''].join('\r\n');
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
