import type { Flow } from '../../flow/flow.ts';
import { addEvalCase, type CaseAdded, dropEvalCase, type WhichCall } from '../../flow/learn/eval-cases.ts';
import { giveNoEvalCase, type NoEvalCase } from '../../flow/learn/no-eval-case.ts';
import { describeDocuments } from '../../flow/learn/write-postmortem.ts';
import { maySeePeople } from '../../flow/stakeholders/may-see.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { ASSERTION_USAGE, readAssertion } from '../../postmortem/read-assertion.ts';
import { escapeLine, person } from '../mrkdwn.ts';
import { outsideLine } from '../views/outside-text.ts';
import { inRoom } from './ask.ts';
import { type Button, FOREIGN } from './buttons.ts';
import { tell } from './click.ts';
import { refusal } from './gate.ts';

export const EVAL_USAGE = [
  '`eval add N` makes a case of the failing example N; `eval add TRACE` of another call, by its trace id.',
  `An assertion may follow: ${ASSERTION_USAGE}.`,
  '`eval drop N` takes the case N out; `eval none REASON` says why there is none, for the engineering lead.',
].join('\n');

/** `eval`, `eval add CALL|N [ASSERTION]`, `eval drop N`, `eval none REASON`. */
export const evalCases = inRoom(async ({ flow, incident, userId: by, text }) => {
  const [, word = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  if (word === '') return `${await describeDocuments(flow, incident)}\n${EVAL_USAGE}`;
  if (word === 'drop') {
    if (!/^\d{1,4}$/.test(rest.trim())) return EVAL_USAGE;
    const outcome = await dropEvalCase(flow, { incident, by, number: Number(rest) });
    if (outcome.kind === 'no-case') return 'There is no case of that number; `eval` lists them.';
    return `Taken out: ${outsideLine(outcome.description, 200)}`;
  }
  if (word === 'none') return describeNone(await giveNoEvalCase(flow, { incident, by, reason: rest.trim() }));
  if (word !== 'add') return EVAL_USAGE;
  const [, call = '', wanted = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  const which = whichCall(call);
  if (which === null) return EVAL_USAGE;
  const read = wanted.trim() === '' ? null : readAssertion(wanted);
  if (read?.kind === 'wrong') return escapeLine(read.problem);
  return describeAdded(await addEvalCase(flow, { incident, by, which, assertion: read?.assertion ?? null }));
});

function describeNone(outcome: NoEvalCase): string {
  switch (outcome.kind) {
    case 'kept':
      return 'Kept: the post-mortem may be done without an eval case, and says why.';
    case 'no-reason':
      return 'Say why there is none: `eval none REASON`.';
    case 'not-allowed':
      return `You may not say so. Who may: ${outcome.who.map(person).join(', ')}. Nothing was changed.`;
  }
}

function whichCall(word: string): WhichCall | null {
  if (/^[1-9]\d{0,2}$/.test(word)) return { kind: 'example', number: Number(word) };
  const [, traceId, spanId] = /^([0-9a-f]{32})(?:[:/]([0-9a-f]{16}))?$/i.exec(word) ?? [];
  if (traceId === undefined) return null;
  return { kind: 'trace', traceId: traceId.toLowerCase(), spanId: spanId?.toLowerCase() ?? null };
}

function describeAdded(outcome: CaseAdded): string {
  if (outcome.kind === 'no-service') return 'This incident names no service, so it has no calls.';
  if (outcome.kind === 'no-call')
    return 'There is no such call of this service, or its texts are gone. `eval add N` takes the failing example N.';
  const { proven, why, assertions } = outcome.made;
  const demands = assertions.filter(({ type }) => type !== 'llm-rubric').map(({ type }) => type);
  const what = demands.length === 0 ? 'a rubric' : demands.join(', ');
  const next = proven ? '' : ' Sharpen it with `eval add N contains TEXT`, or another assertion.';
  return `Made an eval case (${what}). ${proven ? 'Proven' : 'Not proven'}: ${outsideLine(why, 250)}${next}`;
}

/** *Make eval case* under a failing example: "incident:call". */
export const makeEvalCase: Button = async ({ flow, userId: by, channelId, value }) => {
  const { incident, which } = await readValue(flow, value);
  if (incident === undefined || incident.channel_id !== channelId) return FOREIGN;
  const refused = await refusal(flow, { incident, by, action: 'eval' });
  if (refused !== null) return refused;
  return describeAdded(await addEvalCase(flow, { incident, by, which, assertion: null }));
};

/** The same in a form, which is in no room: whoever may see the example is told in the incident's. */
export const makeEvalCaseInModal: Button = async ({ flow, userId: by, value }) => {
  const { incident, which } = await readValue(flow, value);
  if (incident === undefined || !(await maySeePeople(flow, incident, by))) return null;
  const text = describeAdded(await addEvalCase(flow, { incident, by, which, assertion: null }));
  await tell(flow, { channelId: incident.channel_id ?? '', userId: by, text });
  return null;
};

async function readValue(flow: Flow, value: string) {
  const [, id, call] = /^(\d{1,9}):(\d{1,15})$/.exec(value) ?? [];
  const incident = await findIncident(flow.db, Number(id ?? -1));
  return { incident, which: { kind: 'call' as const, id: Number(call) } };
}
