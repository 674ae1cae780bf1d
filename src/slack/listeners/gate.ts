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
  private: 'make private',
  close: 'close',
  tree: 'answer for',
  characterise: 'characterise',
  lease: 'answer leases of',
  note: 'keep notes for',
  timeline: 'add to the timeline of',
  postmortem: 'change the post-mortem of',
  eval: 'change the eval cases of',
  root_cause: 'say what caused',
};

/** Why somebody may not do this, and who may; null when they may. */
export async function refusal(
  flow: Flow,
  { incident, by, action }: { incident: Incident; by: string; action: Action },
): Promise<string | null> {
  const permission = await permissionFor(flow, { incident, by, action });
  if (permission.kind === 'allowed') return null;
  const { who, isUnread } = permission;
  const unread = isUnread ? ' Not all of them could be looked up now; try again soon.' : '';
  if (who.length === 0)
    return `You may not ${WORDS[action]} ${nameOf(incident.id)} now.${unread} Nothing was changed.`;
  const more = who.length > SHOWN ? ` and ${who.length - SHOWN} more` : '';
  const named = who.slice(0, SHOWN).map(person).join(', ');
  return `You may not ${WORDS[action]} ${nameOf(incident.id)}. Who may: ${named}${more}.${unread} Nothing was changed.`;
}
