import { ExternalError, messageOf } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { rolesOf } from '../../incident/stakeholder.ts';
import type { Flow } from '../flow.ts';
import { rolesHeldBy } from './contacts.ts';

type Looking = Pick<Flow, 'chat' | 'log' | 'config'>;

/** True for whoever is in the incident's room now; false where that cannot be told. */
export async function isInRoom(
  flow: Pick<Flow, 'chat' | 'log'>,
  incident: Pick<Incident, 'id' | 'channel_id'>,
  person: string,
): Promise<boolean> {
  if (incident.channel_id === null) return false;
  try {
    for await (const member of flow.chat.membersOfRoom(incident.channel_id))
      if (member === person) return true;
    return false;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.warn(
      { incidentId: incident.id, error: messageOf(thrown) },
      'who is in a room could not be read',
    );
    return false;
  }
}

/**
 * Who may read anything of a private incident, wherever they ask. Policy: who is in its room, and the contacts of the
 * roles that must acknowledge it; in any doubt nobody.
 */
export async function maySee(flow: Looking, incident: Incident, person: string): Promise<boolean> {
  return !incident.private || maySeePeople(flow, incident, person);
}

/** The same right for what is never public, such as the users of an incident: also where the incident itself is. */
export async function maySeePeople(flow: Looking, incident: Incident, person: string): Promise<boolean> {
  const held = await rolesHeldBy(flow, person, rolesOf(incident));
  return held.length > 0 || isInRoom(flow, incident, person);
}
