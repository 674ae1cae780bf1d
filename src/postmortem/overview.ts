import type { BlockContent, PhrasingContent } from 'mdast';
import { durations, inWords, milestoneAt } from './duration.ts';
import type { Names } from './mrkdwn.ts';
import {
  bullets,
  clause,
  code,
  figure,
  none,
  paragraph,
  person,
  table,
  utc,
  words,
  written,
} from './prose.ts';
import { milestoneNames, type PostmortemRecord, type SignalFacts } from './record.ts';

/** The facts table under the title, and a warning when the incident is private. */
export function facts({ incident, milestones }: PostmortemRecord): BlockContent[] {
  const row = (label: string, value: PhrasingContent[]) => [words`${label}`, value];
  const rows = [
    row('Incident', words`${incident.id}`),
    row('Category', words`${incident.category}`),
    row('Severity', words`${incident.severity}`),
    row('Service', words`${incident.service}`),
    row('Environment', words`${incident.environment}`),
    row('Status', words`${incident.status}`),
    row('Private', incident.private ? words`yes` : words`no`),
    row('Opened by', words`${incident.source}${incident.rule ? words`, ${code(incident.rule)}` : []}`),
  ];
  for (const name of milestoneNames) {
    const at = milestoneAt(milestones, name);
    const optional = name === 'closed' || name === 'declared';
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    if (at || !optional) rows.push(row(label, at ? words`${utc(at)}` : words`not recorded`));
  }
  for (const { label, ms } of durations(milestones)) {
    rows.push(row(label, ms === undefined ? words`not known` : words`${inWords(ms)}`));
  }
  const blocks: BlockContent[] = [table(['Fact', 'Value'], rows)];
  if (!incident.private) return blocks;
  return [...blocks, paragraph(words`This incident is private. Share this only with people who may see it.`)];
}

/** What happened in a few sentences, what the rule measured, and what changed before it. */
export function summary(record: PostmortemRecord, names: Names): BlockContent[] {
  const { incident, signal, changes } = record;
  const opening = words`${incident.id} was a ${incident.category} incident (${incident.severity}) in ${
    incident.service
  }, environment ${incident.environment}.${course(record)}`;
  const blocks: BlockContent[] = incident.summary ? written(incident.summary, names) : [];
  blocks.push(paragraph(opening));
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
  const sentences: PhrasingContent[] = [];
  if (started) sentences.push(...words` It started at ${utc(started)}.`);
  const tell = (label: string, verb: string) => {
    const ms = known.get(label);
    if (ms !== undefined) sentences.push(...words` It was ${verb} after ${inWords(ms)}.`);
  };
  tell('Time to detect', 'detected');
  tell('Time to contain', 'contained');
  tell('Time to mitigate', 'mitigated');
  tell('Time to resolve', 'resolved');
  return sentences;
}

function measured(signal: SignalFacts): PhrasingContent[] {
  const { rule, value, n } = signal;
  const measure = (number: number) => (signal.unit ? `${figure(number)} ${signal.unit}` : figure(number));
  const sentences = words`The rule ${code(rule)} measured ${measure(value)} over ${n} samples.`;
  if (signal.baseline !== undefined) {
    const over = signal.baselineN === undefined ? [] : words` over ${signal.baselineN} samples`;
    sentences.push(...words` The baseline was ${measure(signal.baseline)}${over}.`);
    sentences.push(...words`${relative(signal.baseline, signal.value)}`);
  }
  if (signal.lower !== undefined && signal.upper !== undefined) {
    sentences.push(...words` Its interval ran from ${signal.lower} to ${signal.upper}.`);
  }
  if (signal.threshold !== undefined) {
    sentences.push(...words` The threshold was ${measure(signal.threshold)}.`);
  }
  return sentences;
}

function relative(before: number, after: number): PhrasingContent[] {
  if (before === 0 || after === before) return [];
  const percent = Math.abs((after - before) / before) * 100;
  return words` That is ${figure(Math.round(percent * 10) / 10)} % ${after < before ? 'lower' : 'higher'}.`;
}

/** Who and how much was affected. */
export function impact({ impact: known }: PostmortemRecord, names: Names): BlockContent[] {
  const blocks: BlockContent[] = known?.text?.trim() ? written(known.text, names) : [];
  const { affectedRequests, totalRequests, exposedUsers } = known ?? {};
  if (affectedRequests !== undefined) {
    const of = totalRequests === undefined ? [] : words` of ${totalRequests}`;
    const share = totalRequests ? words` That is ${figure((affectedRequests / totalRequests) * 100)} %.` : [];
    blocks.push(paragraph(words`${affectedRequests}${of} requests were affected.${share}`));
  }
  if (exposedUsers !== undefined) blocks.push(paragraph(words`${exposedUsers} users received a bad output.`));
  return blocks.length > 0 ? blocks : [none('Nobody described the impact, and exposure was not counted.')];
}

/** What somebody still has to do. */
export function actions({ actionItems }: PostmortemRecord, names: Names): BlockContent[] {
  if (actionItems.length === 0) return [none('Nobody added an action item.')];
  const rows = actionItems.map((item) => [
    words`${clause(item.text)}`,
    words`${item.owner ? person(item.owner, names) : 'nobody'}`,
    item.dueAt ? words`${utc(item.dueAt).slice(0, 10)}` : words`no date`,
    item.done ? words`done` : words`open`,
  ]);
  return [table(['Action', 'Owner', 'Due', 'State'], rows)];
}

/** The examples that would catch this again. */
export function cases({ evalCases, noEvalCaseReason }: PostmortemRecord, names: Names): BlockContent[] {
  if (evalCases.length > 0) {
    return [
      bullets(
        evalCases.map(({ description, proven }) => {
          const verdict = 'it fails on the bad output and passes on the good one';
          return words`${clause(description)}. ${proven ? `Proven: ${verdict}.` : 'Not proven yet.'}`;
        }),
      ),
    ];
  }
  if (!noEvalCaseReason) return [none('No failing call has been turned into a case.')];
  const lead = person(noEvalCaseReason.by, names);
  return [none('The lead gave a reason.'), paragraph(words`${lead}: ${noEvalCaseReason.text}`)];
}
