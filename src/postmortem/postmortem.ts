import type { Root, RootContent } from 'mdast';
import { toMarkdown as mdastToMarkdown } from 'mdast-util-to-markdown';
import { redact } from '../redaction.ts';
import { dataPoints } from './data-points.ts';
import { markdownStyle, quickText } from './markdown.ts';
import type { Names } from './mrkdwn.ts';
import { actions, cases, facts, impact, summary } from './overview.ts';
import { bullets, heading, paragraph, words } from './prose.ts';
import { type PostmortemRecord, type QuestionKey, questions } from './record.ts';
import { decisions, fiveQuestions, mitigations, rootCause } from './response.ts';
import { timeline } from './timeline.ts';

export interface AssembleOptions {
  /** Display names by Slack id; an id without one is printed as it is. */
  readonly names?: Names;
  /** Samples printed with their texts; 10 unless told. */
  readonly maxSamples?: number;
  /** Characters printed of each recorded text; 4,000 unless told. */
  readonly maxTextChars?: number;
}

/**
 * The post-mortem document: the same headings in the same order whatever the record holds, every outside text
 * redacted, nothing in it live. Linear in the record, apart from one sort by time.
 */
export function assemble(record: PostmortemRecord, options: AssembleOptions = {}): Root {
  const names = new Map([...(options.names ?? [])].map(([id, name]) => [id, redact(name)]));
  const limits = { maxSamples: options.maxSamples ?? 10, maxTextChars: options.maxTextChars ?? 4_000 };
  const { incident } = record;
  const section = (title: string, blocks: readonly RootContent[]) => [heading(2, words`${title}`), ...blocks];
  return {
    type: 'root',
    children: [
      heading(1, words`Post-mortem of ${incident.id}: ${incident.title.trim() || 'untitled'}`),
      ...facts(record),
      ...section('Summary', summary(record, names)),
      ...section('Impact', impact(record, names)),
      ...section('The five questions', fiveQuestions(record, names)),
      ...section('Timeline', [
        paragraph(words`All times are in UTC. Replies stand under the message they answer.`),
        timeline(record.events, record.messages, names),
      ]),
      ...section('Decision path', decisions(record, names)),
      ...section('Mitigations', [...mitigations(record, names), ...rootCause(record, names)]),
      ...section('The five data points', dataPoints(record, limits)),
      ...section('Action items', actions(record, names)),
      ...section('Eval cases', cases(record, names)),
      ...section('What is still missing', missing(record)),
    ],
  };
}

function missing(record: PostmortemRecord): RootContent[] {
  const sentences = whatIsMissing(record);
  if (sentences.length > 0) return [bullets(sentences.map((sentence) => words`${sentence}`))];
  return [paragraph(words`Nothing. Every question, data point, action item and eval case is here.`)];
}

/** The document as GitHub-flavoured Markdown. */
export function toMarkdown(root: Root): string {
  return mdastToMarkdown(root, { ...markdownStyle, handlers: { text: quickText } });
}

/**
 * What a finished post-mortem would hold and this record does not: one sentence each, in document order.
 * An empty array means that nothing is missing.
 */
export function whatIsMissing(record: PostmortemRecord): string[] {
  return [
    ...missingMilestones(record),
    ...missingRelease(record),
    ...unanswered(record),
    ...missingReviews(record),
    ...missingDataPoints(record),
    ...missingActions(record),
    ...missingCases(record),
  ];
}

// What a safety incident took away is set back on only after these.
function missingRelease({ incident, rootCause: cause }: PostmortemRecord): string[] {
  if (incident.category !== 'safety') return [];
  if (cause === undefined) return ['The root cause is not recorded.'];
  return cause.signOffs.length < 2 ? ['Two people have not signed the root cause off.'] : [];
}

// Without the time it started or was contained, nobody can say how long users were exposed.
function missingMilestones({ milestones }: PostmortemRecord): string[] {
  const known = new Set(milestones.map((milestone) => milestone.name));
  const out: string[] = [];
  if (!known.has('started')) out.push('The time the incident started is not recorded.');
  if (!known.has('contained')) out.push('The time the incident was contained is not recorded.');
  return out;
}

// A question is answered when its answer holds more than white space.
function unanswered({ answers }: PostmortemRecord): string[] {
  return (Object.keys(questions) as QuestionKey[])
    .filter((key) => !answers[key]?.text.trim())
    .map((key) => `“${questions[key]}” has no answer.`);
}

// What one person ran alone is looked at by somebody else afterwards.
function missingReviews({ mitigations: all }: PostmortemRecord): string[] {
  return all
    .filter(({ breakGlass }) => breakGlass !== undefined && !breakGlass.review?.text.trim())
    .map(({ id }) => `Mitigation ${id} was run by break-glass, and nobody else has reviewed it.`);
}

// The five data points are frozen at declaration, so what is absent then stays absent and is said so.
function missingDataPoints({ dataPoints }: PostmortemRecord): string[] {
  const { prompt, model, samples, drift, inputShift } = dataPoints;
  const out: string[] = [];
  if (!prompt) out.push('The prompt in use was not frozen.');
  else if (!prompt.rendered) out.push('The prompt was frozen by checksum only, without its rendered text.');
  if (!model) out.push('The model and its configuration were not frozen.');
  if (!samples?.length) out.push('No sample of outputs was frozen.');
  if (!drift?.length) out.push('No drift metrics were frozen for the two hours before declaration.');
  if (!inputShift?.length) out.push('No comparison of the inputs with their baseline was frozen.');
  return out;
}

// An action item counts when somebody owns it and it has a date.
function missingActions({ actionItems }: PostmortemRecord): string[] {
  if (actionItems.length === 0) return ['No action item was recorded.'];
  const loose = actionItems.filter((item) => !item.done && (!item.owner || !item.dueAt)).length;
  if (loose === 0) return [];
  return [`${loose} open action ${loose === 1 ? 'item has' : 'items have'} no owner or no due date.`];
}

// At least one eval case fails on the bad version and passes on the good one, or the lead recorded why not.
function missingCases({ evalCases, noEvalCaseReason }: PostmortemRecord): string[] {
  if (noEvalCaseReason?.text.trim() || evalCases.some((one) => one.proven)) return [];
  if (evalCases.length === 0) return ['No eval case was recorded.'];
  return ['No eval case is proven: none fails on the bad outputs and passes on the good ones.'];
}
