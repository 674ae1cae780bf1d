import { type Incident, LIVE, nameOf } from '../../incident/incident.ts';
import type { PagedIncident } from '../../incident/pager-state-store.ts';
import type { PageEvent } from './page-event.ts';

/** Who did it, as the room calls them: a Slack id, or their name in PagerDuty. */
export interface PageActor {
  slackId: string | null;
  name: string;
  /** The user in whose name the bot writes. */
  isSelf: boolean;
}

export interface Said {
  text: string;
  /** Worth a line in the room as well. */
  aloud: boolean;
}

/** What such an event leaves behind, where PagerDuty's own word for the status says less. */
export const STATUS_AFTER: Readonly<Record<string, string>> = {
  'incident.unacknowledged': 'no longer acknowledged',
  'incident.reopened': 'opened again',
};

export const MOVED: Readonly<Record<string, string>> = {
  'incident.reassigned': 'handed to',
  'incident.escalated': 'escalated to',
  'incident.delegated': 'delegated to',
};

/** What the record says of an event. Policy: what happened in PagerDuty pushes nobody's phone; the card tells it. */
export function sentenceFor(
  event: PageEvent,
  about: { actor: PageActor | null; incident: Incident; purpose: PagedIncident['purpose'] },
): Said | null {
  const { type, pagerdutyId, incident: there } = event;
  if (there === null) return null;
  const by = about.actor === null ? '' : ` by ${about.actor.name}`;
  const where = `PagerDuty ${pagerdutyId}`;
  if (there.mergedInto) return quietly(`${where} was merged into ${there.mergedInto.id}${by}.`);
  if (about.actor?.isSelf) return null;
  const people = there.assignees.join(', ') || 'nobody';
  if (MOVED[type] !== undefined) return quietly(`${where} was ${MOVED[type]} ${people}${by}.`);
  if (type === 'incident.priority_updated')
    return quietly(`${where} has priority ${there.priority ?? 'none'} now${by}.`);
  if (type === 'incident.resolved') return resolvedThere(about, `${where} was resolved${by}.`);
  if (type === 'incident.acknowledged' && about.purpose === 'people')
    return { text: `${where} was acknowledged${by}.`, aloud: true };
  const changed = STATUS_AFTER[type];
  return changed === undefined ? null : { text: `${where} is ${changed}${by}.`, aloud: true };
}

const quietly = (text: string): Said => ({ text, aloud: false });

/** Policy: resolved in PagerDuty is not fixed: it is recorded and shown, and the incident here stays as it is. */
function resolvedThere(
  { incident, purpose }: { incident: Incident; purpose: PagedIncident['purpose'] },
  text: string,
): Said {
  if (!LIVE.includes(incident.status) || purpose === 'people') return quietly(text);
  return { text: `${text} ${nameOf(incident.id)} stays open here until it is resolved here.`, aloud: true };
}

/** Notes, status updates and answers of responders, as the room reads them. */
export function wordsFor(
  event: PageEvent,
  { words, actor }: { words: string; actor: PageActor | null },
): string {
  const name = actor?.name ?? 'somebody';
  if (event.responder !== null) return words;
  return `${event.note === null ? 'Status update' : 'Note'} by ${name} in PagerDuty: ${words}`;
}

/** Null while they have not answered. */
export function answerOf({ name, state }: { name: string; state: string }): string | null {
  if (state === 'joined') return `${name} joins by PagerDuty.`;
  return state === 'declined' ? `${name} declined in PagerDuty; somebody else must be called.` : null;
}
