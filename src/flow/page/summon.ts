import type { Tx } from '../../db/database.ts';
import { enqueue, type NewJob } from '../../db/jobs.ts';
import { type Incident, PRODUCTION } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { requestPeoplePage } from '../../incident/people-page-store.ts';
import { invitePeople, notice, pagePeople } from '../effects.ts';
import type { Flow } from '../flow.ts';

/** How somebody is named who is known to PagerDuty alone. */
export const IN_PAGERDUTY = 'pagerduty:';

export interface Summons {
  incidentId: number;
  /**
   * Slack ids of people (U…) and groups (S…), without whoever acts, or `pagerduty:ID` for those who are not in Slack;
   * empty: the engineering lead.
   */
  people: readonly string[];
  /** What the room reads after their names, and what they read on their phones. */
  text: string;
  /** Why they are called; the same reason calls once. */
  key: string;
  now: Date;
}

/**
 * Calls people by name: a top-level message that mentions them, and a page to exactly these people. Policy: once a key;
 * only production pages, and drills never do. True when they were not called for it before.
 */
export async function summon(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  { incidentId, people, text, key, now }: Summons,
): Promise<boolean> {
  const incident = await findIncident(tx, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const called = [...new Set(people.length > 0 ? people : flow.config.contacts.engineering_lead)];
  const quiet = called.length === 0 ? 'nobody is named' : whyNoPhone(flow, incident);
  const isNew = await requestPeoplePage(tx, {
    incidentId,
    key,
    people: called,
    text,
    state: quiet === null ? 'pending' : 'skipped',
    outcome: quiet,
    at: now,
  });
  if (!isNew) return false;
  const mention = called.filter((id) => !id.startsWith(IN_PAGERDUTY));
  const jobs: NewJob[] = [invitePeople(incidentId, mention, now), notice(incidentId, now, { text, mention })];
  if (quiet === null) jobs.push(pagePeople({ incidentId, key }, now));
  else if (incident.environment === PRODUCTION && !incident.drill) jobs.push(unpaged(incidentId, quiet, now));
  await enqueue(tx, jobs);
  return true;
}

/** Why no phone is paged for this incident, or null when phones are. */
function whyNoPhone(flow: Pick<Flow, 'pager'>, incident: Incident): string | null {
  if (incident.drill) return 'this is a drill';
  if (incident.environment !== PRODUCTION) return `the environment is ${incident.environment}`;
  if (flow.pager === null) return 'PagerDuty is not configured';
  return flow.pager.of(incident.service).canAsk
    ? null
    : 'PagerDuty has no REST token, and people are paged by name only with one';
}

/** Said once a room: those who are mentioned read it in Slack or not at all. */
function unpaged(incidentId: number, why: string, now: Date): NewJob {
  const text = `No phone is paged by name here: ${why}. Call people yourself if they must not miss it.`;
  return { ...notice(incidentId, now, { text, aloud: true }), dedupeKey: `unpaged:${incidentId}` };
}
