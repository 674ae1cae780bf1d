import type { Flow } from '../../flow/flow.ts';
import { permissionFor } from '../../flow/incident/permission.ts';
import type { Action } from '../../flow/incident/who-may.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { person } from '../mrkdwn.ts';

const SHOWN = 10;
const WORDS: Record<Action, string> = {
  acknowledge: 'take',
  contain: 'contain',
  mitigate: 'propose anything in',
  update: 'speak for',
  role: 'give roles in',
  invite: 'invite people to',
  page: 'page people for',
  severity: 'raise the severity of',
  severity_down: 'lower the severity of',
  resolve: 'resolve',
  decline: 'decline',
  merge: 'merge',
  close: 'close',
};

/** Why somebody may not do this, and who may; null when they may. */
export async function refusal(
  flow: Flow,
  { incident, by, action }: { incident: Incident; by: string; action: Action },
): Promise<string | null> {
  const permission = await permissionFor(flow, { incident, by, action });
  if (permission.kind === 'allowed') return null;
  const { who } = permission;
  const more = who.length > SHOWN ? ` and ${who.length - SHOWN} more` : '';
  const named = who.slice(0, SHOWN).map(person).join(', ');
  return `You may not ${WORDS[action]} ${nameOf(incident.id)}. Who may: ${named}${more}. Nothing was changed.`;
}
