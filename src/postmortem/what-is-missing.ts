import type { MitigationFacts } from './mitigation-facts.ts';
import { type PostmortemRecord, type QuestionKey, questions } from './record.ts';

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

/** Of that, what the record itself lacks and the post-mortem may be done without. */
export function whatTheRecordLacks(record: PostmortemRecord): string[] {
  return [...missingMilestones(record), ...missingRelease(record), ...missingDataPoints(record)];
}

/** What decides whether a post-mortem is done. */
export type DoneFacts = Pick<
  PostmortemRecord,
  'answers' | 'actionItems' | 'evalCases' | 'noEvalCaseReason'
> & { readonly mitigations: readonly Pick<MitigationFacts, 'id' | 'breakGlass'>[] };

/**
 * What somebody must still do before a post-mortem is done: one sentence each, in document order; empty: it is done.
 * Policy: done means that the five questions have answers, that what one person ran alone is reviewed, that there is an
 * action item and every open one has an owner and a date, and that an eval case is proven or the lead said why none is.
 */
export function leftToDo(facts: DoneFacts): string[] {
  return [...unanswered(facts), ...missingReviews(facts), ...missingActions(facts), ...missingCases(facts)];
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
function unanswered({ answers }: DoneFacts): string[] {
  return (Object.keys(questions) as QuestionKey[])
    .filter((key) => !answers[key]?.text.trim())
    .map((key) => `“${questions[key]}” has no answer.`);
}

// What one person ran alone is looked at by somebody else afterwards.
function missingReviews({ mitigations: all }: DoneFacts): string[] {
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
function missingActions({ actionItems }: DoneFacts): string[] {
  if (actionItems.length === 0) return ['No action item was recorded.'];
  const loose = actionItems.filter((item) => !item.done && (!item.owner || !item.dueAt)).length;
  if (loose === 0) return [];
  return [`${loose} open action ${loose === 1 ? 'item has' : 'items have'} no owner or no due date.`];
}

// At least one eval case fails on the bad version and passes on the good one, or the lead recorded why not.
function missingCases({ evalCases, noEvalCaseReason }: DoneFacts): string[] {
  if (noEvalCaseReason?.text.trim() || evalCases.some((one) => one.proven)) return [];
  if (evalCases.length === 0) return ['No eval case was recorded.'];
  return ['No eval case is proven: none fails on the bad outputs and passes on the good ones.'];
}
