import type { Flow } from '../../flow/flow.ts';
import { declineAlone } from '../../flow/incident/end-incident.ts';
import { declineSafety } from '../../flow/incident/false-alarm.ts';
import { describeGap, type ReleaseGap, releaseState } from '../../flow/mitigate/safety-release.ts';
import { recordRootCause, signOff as signOffVerb } from '../../flow/mitigate/sign-off.ts';
import { namesOf, stillOn } from '../../flow/mitigate/still-on.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { person } from '../mrkdwn.ts';
import { outsideLine } from '../views/outside-text.ts';
import { inRoom } from './ask.ts';

/** `root-cause TEXT` records what caused it; alone it shows what is recorded. */
export const rootCause = inRoom(async ({ flow, incident, userId: by, text }) => {
  const cause = text.trim();
  if (cause === '') return shown(flow, incident);
  const outcome = await recordRootCause(flow, { incident, by, text: cause });
  switch (outcome.kind) {
    case 'ended':
    case 'not-allowed':
      return `${nameOf(incident.id)} is ${incident.status}; it has no root cause.`;
    case 'same':
      return 'That root cause is recorded already.';
    case 'recorded': {
      const voided = outcome.voided === 0 ? '' : ' The sign-offs of the one before count no more.';
      return `The root cause is recorded.${voided}${nextAfter(incident, outcome.gap)}`;
    }
  }
});

/** `sign-off [TEXT]` stands for the recorded root cause being dealt with. */
export const signOff = inRoom(async ({ flow, incident, userId: by, text }) => {
  const outcome = await signOffVerb(flow, { incident, by, text: text.trim() });
  switch (outcome.kind) {
    case 'ended':
      return `${nameOf(incident.id)} is ${outcome.status}; there is nothing to sign off.`;
    case 'not-safety':
      return 'Only safety incidents need sign-offs.';
    case 'no-cause':
      return 'There is no root cause to sign off yet: `/llm-incident root-cause TEXT` first. Nothing was changed.';
    case 'not-allowed':
      return `You may not sign this off. Who may: ${outcome.who.map(person).join(', ') || 'nobody is configured'}. Nothing was changed.`;
    case 'already':
      return `You signed this off before; a person counts once.${nextAfter(incident, outcome.gap)}`;
    case 'signed':
      return `You signed this root cause off: “${outsideLine(outcome.cause, 300)}”.${nextAfter(incident, outcome.gap)}`;
  }
});

function nextAfter(incident: Incident, gap: ReleaseGap | null): string {
  if (incident.category !== 'safety') return '';
  return gap === null
    ? ' Root cause and sign-offs are recorded: a plan that sets things back on may be proposed.'
    : ` ${describeGap(gap, { mentions: true })}`;
}

async function shown(flow: Flow, incident: Incident): Promise<string> {
  const { recorded, gap } = await releaseState(flow, incident.id);
  const { rootCause: cause, signOffs } = recorded;
  if (cause === null)
    return `No root cause is recorded: \`root-cause TEXT\`.${incident.category === 'safety' ? nextAfter(incident, gap) : ''}`;
  const signed = signOffs.map(({ person: who }) => person(who)).join(', ');
  const by = signed === '' ? '' : ` Signed off by ${signed}.`;
  return `Root cause, by ${person(cause.said_by)}: ${outsideLine(cause.cause, 500)}${by}${nextAfter(incident, gap)}`;
}

async function staysOn(flow: Flow, { id: incidentId }: Incident): Promise<string> {
  const on = await stillOn(flow.db, { incidentId });
  if (on.length === 0) return '';
  return ` Still on, until somebody takes it back: ${outsideLine(namesOf(on), 600)}. \`lease\` lists it.`;
}

/** Ends it as a false alarm; a safety incident takes two people. */
export async function sayFalseAlarm(
  flow: Flow,
  said: { incident: Incident; by: string; reason: string },
): Promise<{ isDone: boolean; text: string }> {
  const name = nameOf(said.incident.id);
  const isSafety = said.incident.category === 'safety';
  const outcome = isSafety ? await declineSafety(flow, said) : await declineAlone(flow, said);
  switch (outcome.kind) {
    case 'done':
      return {
        isDone: true,
        text: `${name} is declined as a false alarm.${await staysOn(flow, said.incident)}`,
      };
    case 'not-possible':
      return { isDone: false, text: `${name} is ${outcome.status}; it cannot be declined.` };
    case 'not-allowed': {
      const who = outcome.who.map(person).join(', ') || 'nobody is configured';
      return { isDone: false, text: `You may not say so of a safety incident. Who may: ${who}.` };
    }
    case 'counted': {
      const who = outcome.who.map(person).join(', ') || 'nobody is configured';
      const first = outcome.isNew ? 'Recorded: 1 of 2.' : 'You said so before; that counts once.';
      return { isDone: false, text: `${first} ${name} ends when one of these agrees: ${who}.` };
    }
  }
}
