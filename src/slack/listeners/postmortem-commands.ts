import { ACTION_USAGE, addActionItem, readActionItem } from '../../flow/learn/action-items.ts';
import { answerQuestion } from '../../flow/learn/postmortem-answers.ts';
import { type HandedOver, handOverPostmortem } from '../../flow/learn/postmortem-owner.ts';
import { type Signed, signPostmortem } from '../../flow/learn/sign-postmortem.ts';
import { type Snoozed, snoozePostmortem } from '../../flow/learn/snooze-postmortem.ts';
import { rewritePostmortem } from '../../flow/learn/write-postmortem.ts';
import { describeReview, reviewBreakGlass } from '../../flow/mitigate/review-break-glass.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { person, slackDate } from '../mrkdwn.ts';
import { outsideLine } from '../views/outside-text.ts';
import { type Ask, inRoom } from './ask.ts';
import { peopleIn } from './page-commands.ts';

type Asked = Ask & { incident: Incident };

const OWNER_USAGE = 'Name who writes it: `postmortem owner @PERSON`.';
const SNOOZE_USAGE = 'Say for how long and why: `postmortem snooze 6 REASON`.';

/** What `postmortem` does by its first word; without one that is known it writes the document again. */
const WORDS: Readonly<Record<string, (ask: Asked, rest: string) => Promise<string>>> = {
  async action({ flow, incident, userId: by }, rest) {
    const item = readActionItem(rest);
    if (item === null) return ACTION_USAGE;
    await addActionItem(flow, { incident, by, item });
    return `Kept: ${outsideLine(item.text, 200)}, by <@${item.owner}>.`;
  },
  async review({ flow, incident, userId: by }, text) {
    return describeReview(await reviewBreakGlass(flow, { incident, by, text }));
  },
  answer: ({ flow, incident, userId: by }, text) => answerQuestion(flow, { incident, by, text }),
  async owner({ flow, incident, userId: by }, rest) {
    const [to] = peopleIn(rest);
    if (to === undefined) return OWNER_USAGE;
    return describeHandedOver(incident, await handOverPostmortem(flow, { incident, by, to }), to);
  },
  async snooze({ flow, incident, userId: by }, rest) {
    const { hours, reason } = readSnooze(rest);
    return describeSnoozed(incident, await snoozePostmortem(flow, { incident, by, hours, reason }));
  },
  async 'sign-off'({ flow, incident, userId: by }, note) {
    return describeSigned(await signPostmortem(flow, { incident, by, note }));
  },
  // Reached only where its form could not be opened.
  edit: async () =>
    'The form could not be opened. Try again, or answer in one line: `postmortem answer QUESTION TEXT`.',
};

export const postmortem = inRoom(async (ask) => {
  const [, word = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(ask.text.trim()) ?? [];
  const act = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return act === undefined ? rewritePostmortem(ask.flow, ask.incident) : act(ask, rest);
});

/** Hours may be said as `6`, `6h` or `2d`; NaN where there are none. */
export function readSnooze(text: string): { hours: number; reason: string } {
  const [, count, unit, reason = ''] =
    /^(\d{1,4}(?:\.\d+)?)\s*(h|d)?(?:\s+([\s\S]*))?$/i.exec(text.trim()) ?? [];
  return { hours: Number(count) * (unit?.toLowerCase() === 'd' ? 24 : 1), reason: reason.trim() };
}

export function describeHandedOver(incident: Incident, outcome: HandedOver, to: string): string {
  switch (outcome.kind) {
    case 'handed-over':
      return `${person(to)} writes the post-mortem of ${nameOf(incident.id)}.`;
    case 'same':
      return `${person(to)} writes it already.`;
    case 'nobody':
      return OWNER_USAGE;
    case 'not-possible':
      return outcome.status === 'closed'
        ? `${nameOf(incident.id)} is closed; nothing was changed.`
        : `${nameOf(incident.id)} is ${outcome.status}; \`resolve @PERSON\` says who writes its post-mortem.`;
  }
}

export function describeSnoozed(incident: Incident, outcome: Snoozed): string {
  switch (outcome.kind) {
    case 'snoozed':
      return `Nobody is reminded until ${slackDate(outcome.until)}. When it is due has not moved.`;
    case 'no-hours':
    case 'no-reason':
      return SNOOZE_USAGE;
    case 'too-long':
      return `That is too long: the reminders may rest until ${slackDate(outcome.latest)} at most.`;
    case 'not-allowed':
      return `You may not snooze it. Who may: ${outcome.who.map(person).join(', ')}. Nothing was changed.`;
    case 'not-possible':
      return `${nameOf(incident.id)} is ${outcome.status}; nobody is reminded of its post-mortem.`;
  }
}

const ROLES = { owner: 'its owner', legal: 'legal' } as const;

export function describeSigned(outcome: Signed): string {
  switch (outcome.kind) {
    case 'signed':
      return outcome.unsigned.length === 0
        ? 'You signed the post-mortem off. `close` closes the incident.'
        : `You signed the post-mortem off. It still waits for ${outcome.unsigned.map((role) => ROLES[role]).join(' and ')}.`;
    case 'already':
      return 'You signed it off before, and nothing was added since.';
    case 'not-written':
      return 'There is no post-mortem to sign off yet: it is written when the incident is resolved.';
    case 'not-done':
      return listed('It is not signed off: this is left to do.', outcome.left);
    case 'not-allowed':
      return `You may not sign it off. Who may: ${outcome.who.map(person).join(', ') || 'nobody is configured'}. Nothing was changed.`;
  }
}

/** A sentence, and what is left to do under it. */
export function listed(sentence: string, left: readonly string[]): string {
  return [sentence, ...left.map((line) => `• ${outsideLine(line, 200)}`)].join('\n');
}
