import type { PostmortemView } from '../../flow/learn/duty-view.ts';
import type { IncidentCard } from '../../flow/room/incident-card.ts';
import { mention, person, slackDate, truncate } from '../mrkdwn.ts';
import { bullets, buttons, optionalSection, type Rendered, rendered, section } from './blocks.ts';
import { outsideLine, outsideText } from './outside-text.ts';

const ROLES = { owner: 'its owner', legal: 'legal' } as const;

/** Whose post-mortem it is, by when, what is left to do, and what the record lacks: listed, never hidden. */
export function renderPostmortem(postmortem: PostmortemView): Rendered {
  const left = postmortem.left.map((line) => outsideLine(line, 200));
  const lacks = postmortem.lacks.map((line) => outsideLine(line, 200));
  const state =
    left.length === 0 ? 'nothing is left to do' : `${things(left.length)} left to do: ${left.join(' ')}`;
  const owner = postmortem.isClosed ? null : ownerLine(postmortem);
  return rendered(
    [`Post-mortem – ${outsideLine(postmortem.summary, 500)}`, owner, state].filter(Boolean).join(' – '),
    [
      section('*Post-mortem*', outsideText(postmortem.summary, 2500), owner),
      section(bullets('*To do*', left, 12) ?? 'Nothing is left to do.'),
      ...optionalSection(bullets('*Not recorded*', lacks, 12)),
      ...optionalSection(signedLine(postmortem)),
      ...(postmortem.isClosed ? [] : buttons(choices(postmortem))),
    ],
  );
}

function ownerLine({ owner, callsOwner, dueAt }: PostmortemView): string {
  const due = dueAt === null ? '' : `, due ${slackDate(dueAt)}`;
  if (owner === null) return `Nobody writes it yet: \`/llm-incident postmortem owner @PERSON\`${due}`;
  const who = callsOwner ? mention(owner.id) : outsideLine(owner.name, 80);
  return `${truncate(who, 100)} writes it${due}`;
}

function signedLine({ signedBy, unsigned, left }: PostmortemView): string | null {
  const signed =
    signedBy.length === 0 ? null : `Signed off by ${truncate(signedBy.map(person).join(', '), 500)}.`;
  if (left.length > 0 || unsigned.length === 0) return signed;
  const waits = `It waits for the sign-off of ${unsigned.map((role) => ROLES[role]).join(' and of ')}.`;
  return signed === null ? waits : `${signed} ${waits}`;
}

function choices({ incidentId, left, unsigned }: PostmortemView) {
  const value = String(incidentId);
  const isReady = left.length === 0;
  return [
    { label: 'Edit', actionId: 'postmortem_edit', value, ...(isReady ? {} : { style: 'primary' as const }) },
    ...(isReady && unsigned.length > 0
      ? [{ label: 'Sign off', actionId: 'postmortem_sign', value, style: 'primary' as const }]
      : []),
  ];
}

const things = (n: number) => `${n} ${n === 1 ? 'thing' : 'things'}`;

/** One line of the card: what the post-mortem waits for, by when, and whose it is. */
export function postmortemLine(
  card: Pick<IncidentCard, 'postmortem' | 'missing' | 'status' | 'now'>,
): string | null {
  if (card.postmortem === null) return null;
  const { dueAt, owner, signedBy, isSigned } = card.postmortem;
  const missing = `${card.missing.length === 0 ? 'nothing' : things(card.missing.length)} missing`;
  const label = '*Post-mortem:*';
  if (isSigned) return `${label} signed off by ${truncate(signedBy.map(person).join(', '), 300)}`;
  if (card.status === 'closed') return `${label} closed with ${missing}`;
  const whose = owner === null ? 'nobody owns it' : truncate(person(owner), 80);
  if (card.missing.length === 0) return `${label} ${missing}, not signed off · ${whose}`;
  const due = dueAt < card.now ? `overdue since ${slackDate(dueAt)}` : `due ${slackDate(dueAt)}`;
  return `${label} ${missing}, ${due} · ${whose}`;
}
