import type { PhrasingContent } from 'mdast';
import { AUTOMATION } from '../mitigation/plan.ts';
import { redact } from '../redaction.ts';
import { mrkdwnToPhrasing, type Names } from './mrkdwn.ts';
import { clause, person, words } from './prose.ts';
import type { TimelineEvent } from './record.ts';

/** Entries whose text is a person's own words, with what that person did by writing them. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  timeline: 'noted',
  note: 'noted',
  good: 'noted what went well',
  bad: 'noted what went badly',
  luck: 'noted where we were lucky',
  'contain-waived': 'stopped the containment clock',
};

const ACT =
  /^(?:[A-Z][a-z]+ed|Made|Withdrew|Kept|Is|Took|Gave|Put|Set|Ran|Said|joined|left)(?! (?:by|from)\b)(?=[\s:.,;])/;
const WHOLE_INCIDENT = /^(?:Declared|Resolved|Closed|Contained|Declined|Reopened)(?=[:.]|$)/;

/**
 * One entry of the record as a sentence. Policy: what begins with an act follows the name of who did it, a person's own
 * words follow their name and a colon, any other entry ends with the name; what nobody did is the bot's.
 */
export function machineLine({ kind, text, actor }: TimelineEvent, names: Names): PhrasingContent[] {
  const said = ended(inert(text, names));
  if (actor === undefined || actor === AUTOMATION) return words`Bot: ${said}`;
  const who = person(actor, names);
  const own = Object.hasOwn(OWN_WORDS, kind) ? OWN_WORDS[kind] : undefined;
  if (own !== undefined) return words`${who} ${own}: ${said}`;
  const act = ACT.exec(text)?.[0];
  if (act === undefined) return words`Bot: ${inert(clause(text), names)} (${who}).`;
  const verb = act.toLowerCase() + (WHOLE_INCIDENT.test(text) ? ' the incident' : '');
  return words`${who} ${verb}${ended(inert(text.slice(act.length), names))}`;
}

const NO_MENTION = /<(?!(?:@[UW]|#C|!subteam\^S)[A-Z0-9]+(?:\|[^<>]*)?>)/g;

/** An entry on one line, redacted. Its mentions are read and its marks, as in Slack; any other angle bracket is text. */
function inert(text: string, names: Names): PhrasingContent[] {
  return mrkdwnToPhrasing(redact(text).replace(NO_MENTION, '&lt;'), names);
}

function ended(nodes: PhrasingContent[]): PhrasingContent[] {
  const last = nodes.at(-1);
  const isEnded = last?.type === 'text' && /[.!?…]["”)]?\s*$/.test(last.value);
  return isEnded ? nodes : [...nodes, { type: 'text', value: '.' }];
}
