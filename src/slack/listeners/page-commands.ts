import { ExternalError, messageOf } from '../../errors.ts';
import { serviceConfig } from '../../flow/flow.ts';
import { requestPageByHand } from '../../flow/page/page-by-hand.ts';
import { type Called, callPeople, handPageOver, noteByHand } from '../../flow/page/page-people-by-hand.ts';
import { escapeLine, person } from '../mrkdwn.ts';
import { factLine } from '../views/outside-text.ts';
import { type Ask, inRoom, over } from './ask.ts';

type InRoom = Parameters<Parameters<typeof inRoom>[0]>[0];

const USAGE =
  '`page` pages the on-call engineer; `page @PERSON [WHY]` and `page level N` call people; `page to @PERSON` hands the page over.';

/** What follows `page`: nobody, people by mention, a level, or people whom the page is handed to. */
export type PageAsked =
  | { kind: 'page' }
  | { kind: 'people' | 'to'; people: string[]; rest: string }
  | { kind: 'level'; level: number; rest: string }
  | { kind: 'unknown' };

const MENTION = /<(?:@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+))(?:\|[^>]*)?>/g;

/** The ids of people and groups that are mentioned. */
export function peopleIn(text: string): string[] {
  return [...text.matchAll(MENTION)].map(([, user, group]) => user ?? group ?? '');
}

export function readPage(text: string): PageAsked {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'page' };
  const [, level, why = ''] = /^level\s+(\d{1,2})\b\s*(.*)$/is.exec(trimmed) ?? [];
  if (level !== undefined) return { kind: 'level', level: Number(level), rest: why };
  const [, to = '', names = ''] = /^(to\s+)?(.*)$/is.exec(trimmed) ?? [];
  const people = peopleIn(names);
  if (people.length === 0 || !names.startsWith('<')) return { kind: 'unknown' };
  const rest = names.replace(MENTION, ' ').replace(/\s+/g, ' ').trim();
  return { kind: to === '' ? 'people' : 'to', people, rest };
}

export const page = inRoom(async (ask) => {
  const asked = readPage(ask.text);
  if (asked.kind === 'unknown') return USAGE;
  if (asked.kind === 'page') return requestPageByHand(ask.flow, { incident: ask.incident, by: ask.userId });
  if (asked.kind === 'to') return handOver(ask, asked.people);
  const { flow, incident, userId: by, origin } = ask;
  const level = asked.kind === 'level' ? asked.level : null;
  const people = asked.kind === 'people' ? asked.people : [];
  try {
    const called = await callPeople(flow, { incident, by, origin, people, level, reason: asked.rest });
    return describeCalled(ask, called);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return `PagerDuty could not be asked: ${factLine(messageOf(thrown), 200)}.`;
  }
});

function describeCalled({ incident, flow }: InRoom, called: Called): string {
  if (called.kind === 'called') {
    const names = called.names.map((name) => (/^S[A-Z0-9]+$/.test(name) ? 'the group' : person(name)));
    const pages = flow.pager?.of(incident.service).canAsk === true;
    const how = pages ? '; the receipt follows' : ' here; no phone is paged';
    return `Calling ${names.join(', ')}${how}.`;
  }
  if (called.kind === 'ended') return over(incident);
  if (called.kind === 'nobody') return 'Nobody is on call there.';
  return called.kind === 'yourself'
    ? 'That is only you, and you are here.'
    : 'No `pagerduty.escalation_policy` is configured for this service.';
}

async function handOver({ flow, incident, userId: by, origin }: InRoom, people: string[]): Promise<string> {
  const outcome = await handPageOver(flow, { incident, by, origin, people });
  if (outcome === 'ended') return over(incident);
  if (outcome === 'cannot')
    return 'PagerDuty is not configured with a REST token, so nothing can be handed over.';
  if (outcome === 'no-page') return 'There is no page to hand over. `page` opens one.';
  return `Handing the page to ${people.map(person).join(', ')}; the card shows it.`;
}

export const oncall = inRoom(async ({ flow, incident }) => {
  const policy = serviceConfig(flow, incident.service)?.pagerduty?.escalation_policy;
  if (flow.pager === null) return 'PagerDuty is not configured.';
  if (policy === undefined) return 'No `pagerduty.escalation_policy` is configured for this service.';
  try {
    const people = await flow.pager.of(incident.service).onCall(policy);
    if (people.length === 0) return 'PagerDuty says that nobody is on call.';
    return people.map(({ level, name }) => `Level ${level}: ${escapeLine(name)}`).join('\n');
  } catch (thrown) {
    return `PagerDuty could not be asked: ${factLine(messageOf(thrown), 200)}.`;
  }
});

export const note = inRoom(async ({ flow, incident, userId: by, text, origin }: Ask & InRoom) => {
  const said = text.trim();
  if (said === '') return 'Write what to note: `note TEXT`.';
  const isMirrored = await noteByHand(flow, { incident, by, origin, text: said });
  return isMirrored ? 'Noted, here and in PagerDuty.' : 'Noted here.';
});
