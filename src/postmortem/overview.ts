import type { BlockContent, PhrasingContent } from 'mdast';
import { durations, inWords, milestoneAt } from './duration.ts';
import type { Names } from './mrkdwn.ts';
import {
  bullets,
  clause,
  code,
  count,
  figure,
  inList,
  linked,
  measure,
  none,
  paragraph,
  person,
  table,
  utc,
  words,
  written,
} from './prose.ts';
import { type EvalCaseFacts, milestoneNames, type PostmortemRecord, type SignalFacts } from './record.ts';

/** The facts table under the title, and a warning when the incident is private. */
export function facts({ incident, milestones, signedOff }: PostmortemRecord, names: Names): BlockContent[] {
  const row = (label: string, value: PhrasingContent[]) => [words`${label}`, value];
  const rows = [
    row('Incident', words`${incident.id}`),
    row('Category', words`${incident.category}`),
    row('Severity', words`${incident.severity}`),
    row('Service', words`${incident.service}`),
    row('Environment', words`${incident.environment}`),
    row('Status', words`${incident.status}`),
    row('Private', incident.private ? words`yes` : words`no`),
    row('Opened by', openedBy(incident)),
  ];
  for (const name of milestoneNames) {
    const at = milestoneAt(milestones, name);
    const optional = name === 'closed' || name === 'declared';
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    if (at || !optional) rows.push(row(label, at ? words`${utc(at)}` : words`not recorded`));
  }
  for (const { label, ms } of durations(milestones)) {
    if (ms !== undefined) rows.push(row(label, words`${inWords(ms)}`));
  }
  const signed = (signedOff ?? []).map(({ by, at }) => `${person(by, names)} at ${utc(at)}`);
  if (signed.length > 0) rows.push(row('Signed off', words`${signed.join(', ')}`));
  const blocks: BlockContent[] = [table(['Fact', 'Value'], rows)];
  if (!incident.private) return blocks;
  return [...blocks, paragraph(words`This incident is private. Share this only with people who may see it.`)];
}

function openedBy({ source, rule }: PostmortemRecord['incident']): PhrasingContent[] {
  if (source === 'rule' && rule) return words`the rule ${code(rule)}`;
  const opener = source === 'declared' ? 'a person' : source;
  return rule ? words`${opener}, ${code(rule)}` : words`${opener}`;
}

/** What happened in a few sentences, what the rule measured, and what changed before it. */
export function summary(record: PostmortemRecord, names: Names): BlockContent[] {
  const { incident, signal, changes } = record;
  const { id, severity, category, service, environment } = incident;
  const opening = words`${id} was a ${severity} ${category} incident in ${service} (${environment}).`;
  const blocks: BlockContent[] = incident.summary ? written(incident.summary, names) : [];
  blocks.push(paragraph([...opening, ...course(record)]));
  if (signal) blocks.push(paragraph(measured(signal)));
  if (changes.length === 0) {
    return [...blocks, paragraph(words`The ledger recorded no change before the incident.`)];
  }
  const inOrder = changes.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const lines = inOrder.map(({ at, component, from, to }) => {
    return words`${utc(at)}: ${component} went from ${from ?? 'nothing'} to ${to ?? 'nothing'}.`;
  });
  return [...blocks, paragraph(words`What changed before the incident:`), bullets(lines)];
}

// The story of the incident is its durations, each told only when it is known.
function course({ milestones }: PostmortemRecord): PhrasingContent[] {
  const known = new Map(durations(milestones).map(({ label, ms }) => [label, ms]));
  const started = milestoneAt(milestones, 'started');
  const sentences = started ? words` It started at ${utc(started)}${noticed(milestones, started)}.` : [];
  const stages = new Map<string, string[]>();
  for (const [label, verb] of STAGES) {
    const ms = known.get(label);
    if (ms !== undefined) stages.set(inWords(ms), [...(stages.get(inWords(ms)) ?? []), verb]);
  }
  if (stages.size === 0) return sentences;
  const from = milestoneAt(milestones, 'detected') ? 'detection' : 'declaration';
  const told = [...stages].map(([after, verbs]) => `${inList(verbs)} after ${after}`);
  return [...sentences, ...words` Counted from its ${from}, it was ${inList(told)}.`];
}

function noticed(milestones: PostmortemRecord['milestones'], started: Date): PhrasingContent[] {
  const detected = milestoneAt(milestones, 'detected');
  const ms = (detected ?? milestoneAt(milestones, 'declared') ?? started).getTime() - started.getTime();
  if (!(ms > 0)) return [];
  return words` and was ${detected ? 'detected' : 'declared'} ${inWords(ms)} later`;
}

const STAGES = [
  ['Time to contain', 'contained'],
  ['Time to mitigate', 'mitigated'],
  ['Time to resolve', 'resolved'],
] as const;

function measured(signal: SignalFacts): PhrasingContent[] {
  const { rule, value, n } = signal;
  const said = (number: number) => measure(number, rule);
  const sentences = words`The rule ${code(rule)} measured ${said(value)} over ${count(n, 'sample')}.`;
  if (signal.baseline !== undefined) {
    const over = signal.baselineN === undefined ? [] : words` over ${count(signal.baselineN, 'sample')}`;
    const apart = relative(signal.baseline, value);
    sentences.push(...words` The baseline was ${said(signal.baseline)}${over}${apart}.`);
  }
  if (signal.lower !== undefined && signal.upper !== undefined) {
    sentences.push(...words` The interval ran from ${said(signal.lower)} to ${said(signal.upper)}.`);
  }
  if (signal.threshold !== undefined) {
    sentences.push(...words` The threshold was ${said(signal.threshold)}.`);
  }
  return sentences;
}

function relative(before: number, after: number): PhrasingContent[] {
  if (before === 0 || after === before) return [];
  if (after >= before * 3) return words`, so this is ${figure(roundTo(after / before, 1))} times as much`;
  const percent = Math.abs((after - before) / before) * 100;
  return words`, so this is ${figure(roundTo(percent, 1))} % ${after < before ? 'lower' : 'higher'}`;
}

function roundTo(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** Who and how much was affected. */
export function impact({ impact: known }: PostmortemRecord, names: Names): BlockContent[] {
  const blocks: BlockContent[] = known?.text?.trim() ? written(known.text, names) : [];
  const { affectedRequests, totalRequests, exposedUsers } = known ?? {};
  const counted: PhrasingContent[] = [];
  if (affectedRequests !== undefined) {
    const of = totalRequests === undefined ? [] : words` of ${totalRequests}`;
    const share = totalRequests
      ? words` (${figure(roundTo((affectedRequests / totalRequests) * 100, 1))} %)`
      : [];
    counted.push(...words`Affected requests: ${affectedRequests}${of}${share}.`);
  }
  if (exposedUsers !== undefined) {
    const apart = counted.length === 0 ? '' : ' ';
    counted.push(
      ...words`${{ type: 'text', value: apart }}${count(exposedUsers, 'user')} received a bad output.`,
    );
  }
  if (counted.length > 0) blocks.push(paragraph(counted));
  return blocks.length > 0 ? blocks : [none('Nobody described the impact, and exposure was not counted.')];
}

/** What somebody still has to do. */
export function actions({ actionItems }: PostmortemRecord, names: Names): BlockContent[] {
  if (actionItems.length === 0) return [none('Nobody has added an action item.')];
  const rows = actionItems.map((item) => [
    words`${clause(item.text)}`,
    words`${item.owner ? person(item.owner, names) : 'nobody'}`,
    item.dueAt ? words`${utc(item.dueAt).slice(0, 10)}` : words`no date`,
    actionState(item),
  ]);
  return [table(['Action', 'Owner', 'Due', 'State'], rows)];
}

function actionState({ done, link }: PostmortemRecord['actionItems'][number]): PhrasingContent[] {
  const state = done ? 'done' : 'open';
  return link === undefined ? words`${state}` : words`${state}, ${linked(link.label, link.url)}`;
}

/** The examples that would catch this again; those that read the same are told once, with their number. */
export function cases({ evalCases, noEvalCaseReason }: PostmortemRecord, names: Names): BlockContent[] {
  if (evalCases.length > 0) {
    const alike = Map.groupBy(evalCases, ({ description, proven }) => `${proven} ${description}`);
    const listed = bullets([...alike.values()].map(caseLine));
    if (!noEvalCaseReason || evalCases.some(({ proven }) => proven)) return [listed];
    const { by, text } = noEvalCaseReason;
    return [listed, paragraph(words`${person(by, names)} recorded why none is proven: ${text}`)];
  }
  if (!noEvalCaseReason) return [none('No failing call has been turned into an eval case.')];
  const lead = person(noEvalCaseReason.by, names);
  return [paragraph(words`There is no eval case. ${lead} recorded why: ${noEvalCaseReason.text}`)];
}

function caseLine(alike: readonly EvalCaseFacts[]): PhrasingContent[] {
  const [{ description, proven }] = alike as [EvalCaseFacts];
  const times = alike.length === 1 ? '' : ` (${alike.length} cases)`;
  const verdict = proven
    ? 'Proven: it fails on the bad output and passes on the good one.'
    : 'Not proven yet.';
  return words`${clause(description)}${{ type: 'text', value: times }}. ${verdict}`;
}
