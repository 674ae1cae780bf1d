import type { Flow } from '../../flow/flow.ts';
import { type Invited, inviteByHand } from '../../flow/incident/invite-by-hand.ts';
import { type MergeRefusal, mergeIncident } from '../../flow/incident/merge-incident.ts';
import { postUpdate, type Updated } from '../../flow/incident/post-update.ts';
import { setSeverity } from '../../flow/incident/set-severity.ts';
import { consequenceOf } from '../../flow/incident/severity-consequence.ts';
import { type RoleTaken, takeRole } from '../../flow/incident/take-role.ts';
import type { Action } from '../../flow/incident/who-may.ts';
import { type Incident, nameOf, SEVERITIES } from '../../incident/incident.ts';
import { ROLES, type Role } from '../../incident/people-store.ts';
import { escapeLine, person, slackDate } from '../mrkdwn.ts';
import { severityChoices } from '../views/severity.ts';
import { type Answer, type Ask, inRoom, namedIncident, over } from './ask.ts';
import { refusal } from './gate.ts';
import { peopleIn } from './page-commands.ts';

const ROLE_USAGE =
  '`role commander` takes it, `role commander @PERSON` hands it over, `role commander release` lets it go; so for `scribe` and `comms`.';

/** `role [commander | scribe | comms [@PERSON | release]]` */
export const role = inRoom(async ({ flow, incident, userId: by, text }) => {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  if (word === '') return shownRoles(incident);
  const wanted = ROLES.find((known) => known === word.toLowerCase());
  const to = readTarget(rest.join(' '), by);
  if (wanted === undefined || to === undefined) return ROLE_USAGE;
  return describeTaken(await takeRole(flow, { incident, by, role: wanted, to }), { role: wanted, to, by });
});

/** Whom the role goes to, null for nobody; undefined where that is none of it. */
function readTarget(text: string, by: string): string | null | undefined {
  if (text === '') return by;
  if (/^release$/i.test(text)) return null;
  const people = peopleIn(text).filter((id) => !id.startsWith('S'));
  return people.length === 1 ? people[0] : undefined;
}

function shownRoles(incident: Incident): string {
  const lines = ROLES.map((one) => {
    const holder = incident[one];
    return `• ${one}: ${holder === null ? 'nobody' : person(holder)}`;
  });
  return [...lines, ROLE_USAGE].join('\n');
}

function describeTaken(taken: RoleTaken, asked: { role: Role; to: string | null; by: string }): string {
  const { role: name, to, by } = asked;
  if (taken.kind === 'ended') return 'The incident has ended; nothing was changed.';
  if (taken.kind === 'nobody')
    return `${person(to ?? by)} is no person of this workspace, so they cannot be ${name}. Nothing was changed.`;
  if (taken.kind === 'not-theirs')
    return `${person(taken.holder)} is ${name}, and lets it go; \`role ${name}\` takes it over. Nothing was changed.`;
  if (taken.kind === 'same') return to === null ? `Nobody is ${name}.` : `${person(to)} is ${name} already.`;
  const before = taken.before === null || taken.before === by ? '' : ` ${person(taken.before)} was before.`;
  if (to === null) return `You are no longer ${name}; nobody is.`;
  return to === by
    ? `You are ${name} now.${before}`
    : `${person(to)} is ${name} now, and is invited to the room.${before}`;
}

/** `invite @PERSON | @GROUP | oncall`: into the room, without a page. */
export const invite = inRoom(async ({ flow, incident, userId: by, text }) => {
  const people = peopleIn(text);
  const onCall = /\bon-?call\b/i.test(text);
  if (people.length === 0 && !onCall) return '`invite @PERSON`, `invite @GROUP` or `invite oncall`.';
  return describeInvited(incident, await inviteByHand(flow, { incident, by, people, onCall }));
});

function describeInvited(incident: Incident, invited: Invited): string {
  switch (invited.kind) {
    case 'ended':
      return over(incident);
    case 'no-policy':
      return 'No `pagerduty.escalation_policy` is configured for this service.';
    case 'nobody':
      return 'Nobody is on call, or nobody of them is known in Slack.';
    case 'invited': {
      const names = invited.people.map((id) => (id.startsWith('S') ? 'the group' : person(id)));
      return `Inviting ${names.join(', ')}. Nobody is paged; \`page @PERSON\` does that.`;
    }
  }
}

/** `update TEXT`; the form asks for more. */
export const update = inRoom(async ({ flow, incident, userId: by, text, origin }) => {
  const known = text.trim();
  if (known === '') return 'Say it in one line: `update WHAT YOU KNOW`.';
  const outcome = await postUpdate(flow, { incident, by, known, doing: null, nextAt: null, origin });
  return describeUpdate(incident, outcome);
});

export function describeUpdate(incident: Incident, outcome: Updated): string {
  if (outcome.kind === 'ended') return over(incident);
  if (outcome.kind === 'twice') return 'That update was given before.';
  return outcome.nextAt === null
    ? 'Everybody in the room reads it.'
    : `Everybody in the room reads it. The next one is due ${slackDate(outcome.nextAt)}.`;
}

/** `severity` shows what follows from another one, with buttons; `severity sev1` sets it. */
export const severity = inRoom(async (ask): Promise<Answer> => {
  const { flow, incident, text } = ask;
  const wanted = text.trim().toLowerCase();
  if (SEVERITIES.some((known) => known === wanted)) return changeSeverity(ask, wanted);
  const others = SEVERITIES.filter((known) => known !== incident.severity);
  return severityChoices({
    incidentId: incident.id,
    now: incident.severity,
    others: others.map((one) => ({ severity: one, consequence: consequenceOf(flow, incident, one) })),
  });
});

/** What the room's buttons and the command have in common. */
export async function changeSeverity(
  { flow, incident, userId: by }: Pick<Ask, 'flow' | 'userId'> & { incident: Incident },
  wanted: string,
): Promise<string> {
  const found = SEVERITIES.find((known) => known === wanted);
  if (found === undefined) return `There is no severity \`${escapeLine(wanted.slice(0, 40))}\`.`;
  const outcome = await setSeverity(flow, { incident, by, severity: found });
  if (outcome.kind === 'ended') return over(incident);
  if (outcome.kind === 'same') return `The severity is ${found} already.`;
  if (outcome.kind === 'moved')
    return `Somebody has made it ${outcome.severity} meanwhile. Say it again if it is still wanted.`;
  if (outcome.kind === 'safety-stays-sev1') return 'A safety incident is always sev1.';
  return `Severity is ${found} now. ${consequenceOf(flow, incident, found)}`;
}

const WHY_NOT: Record<MergeRefusal, string> = {
  itself: 'That is this very incident.',
  over: 'This incident is mitigated or has ended, so it is not merged.',
  'survivor-over': 'That incident has ended; merge into one that is live.',
  elsewhere: 'They are about different environments.',
  private: 'A private incident stays on its own: its room is closed to the people of the other.',
  drill: 'One of them is a drill.',
  running: 'A mitigation of this incident is under way. Merge once it is settled.',
};

/** Policy: by merging nobody does to the incident that goes on what they may not do in its own room. */
async function mergeRefusal(
  flow: Flow,
  { incident, into, by }: { incident: Incident; into: Incident; by: string },
): Promise<string | null> {
  const isWorse = SEVERITIES.indexOf(incident.severity) < SEVERITIES.indexOf(into.severity);
  const actions: readonly Action[] = isWorse ? ['merge', 'severity', 'page'] : ['merge'];
  for (const action of actions) {
    const refused = await refusal(flow, { incident: into, by, action });
    if (refused !== null) return refused;
  }
  return null;
}

/** `merge INC-12`, in the room of the incident that ends by it. */
export const merge = inRoom(async (ask) => {
  const { flow, incident, userId: by, text } = ask;
  if (!/^(?:inc-)?\d{1,9}$/i.test(text.trim())) return 'Name the incident that goes on: `merge INC-12`.';
  const into = await namedIncident(ask);
  if (into === null) return `No incident ${escapeLine(text)} that you can see here.`;
  const refused = await mergeRefusal(flow, { incident, into, by });
  if (refused !== null) return refused;
  const outcome = await mergeIncident(flow, { incident, into, by });
  if (outcome.kind === 'refused') return `${WHY_NOT[outcome.why]} Nothing was changed.`;
  const room = into.channel_id === null ? '' : ` Go on in <#${into.channel_id}>.`;
  return `${nameOf(incident.id)} is merged into ${nameOf(into.id)}.${room}`;
});
