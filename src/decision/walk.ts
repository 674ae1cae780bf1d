import { InputError } from '../errors.ts';
import type { Answer, EvidenceKey, Leaf, Playbook, Step, Symptom } from './playbook.ts';

/** What was asked, with its answer (null: not yet). With `symptom`, it counts for that one only. */
export interface Asked {
  symptom?: string;
  step: string;
  answer: string | null;
}

/** Where a walk stands: at a step that is to be asked, or at its end. */
export type Position =
  | { symptom: Symptom; step: Step; leaf: null }
  | { symptom: Symptom; step: null; leaf: Leaf; leafId: string };

/** What the evidence shows. The optional ones may be unknown, which counts as not seen. */
export interface Observations {
  promptChanged: boolean;
  modelChanged: boolean;
  scoreFell: boolean;
  formatFell: boolean;
  contextGrew: boolean;
  errorsRose: boolean;
  refusalsRose?: boolean;
  latencyRose?: boolean;
  indexStale?: boolean;
  indexChanged?: boolean;
  retrievalFell?: boolean;
  /** Failing inputs are about something that the others are not. */
  hasTopics?: boolean;
  costRose?: boolean;
  safety?: boolean;
}

export interface Suggestion {
  symptomId: string;
  why: string;
}

const SEEN_AS: Record<EvidenceKey, { key: keyof Observations; phrase: string }> = {
  'prompt-changed': { key: 'promptChanged', phrase: 'the prompt changed' },
  'model-changed': { key: 'modelChanged', phrase: 'the model changed' },
  'score-fell': { key: 'scoreFell', phrase: 'the quality score fell' },
  'format-fell': { key: 'formatFell', phrase: 'format compliance fell' },
  'context-grew': { key: 'contextGrew', phrase: 'contexts grew' },
  errors: { key: 'errorsRose', phrase: 'errors rose' },
  refusals: { key: 'refusalsRose', phrase: 'refusals rose' },
  latency: { key: 'latencyRose', phrase: 'latency rose' },
  'index-stale': { key: 'indexStale', phrase: 'the index is out of date' },
  'index-changed': { key: 'indexChanged', phrase: 'the index was refreshed' },
  'retrieval-fell': { key: 'retrievalFell', phrase: 'retrieved chunks are less relevant' },
  topics: { key: 'hasTopics', phrase: 'failing requests share a topic' },
  'cost-rose': { key: 'costRose', phrase: 'cost rose' },
  safety: { key: 'safety', phrase: 'harmful output reached users' },
};

const DECISIVE: ReadonlySet<EvidenceKey> = new Set(['cost-rose', 'safety']);
const CHANGES: ReadonlySet<EvidenceKey> = new Set(['prompt-changed', 'model-changed', 'index-changed']);

/**
 * The first answer to a step stands, and the walk goes on from the first step until one is unanswered or a
 * leaf is reached. Answers to steps that are not on the way, or no longer in the playbook, are passed over.
 */
export function walk(playbook: Playbook, path: readonly Asked[], symptomId: string): Position {
  const symptom = symptomOf(playbook, symptomId);
  const own = path.filter((asked) => asked.symptom === undefined || asked.symptom === symptomId);
  let step = stepOf(symptom, symptom.steps[0]?.id);
  for (;;) {
    const answer = answerTo(step, own);
    if (answer === null) return { symptom, step, leaf: null };
    const to = step[answer];
    if (typeof to !== 'string')
      return { symptom, step: null, leaf: leafOf(playbook, to.leaf), leafId: to.leaf };
    step = stepOf(symptom, to);
  }
}

/**
 * What an incident about cost or safety is about comes first; then the symptom that explains most of what was seen. Among
 * equals one with a known change, then the one that this points to most strongly (`suggested_by` is ordered), then the
 * playbook's order. What explains nothing is not suggested.
 */
export function suggest(playbook: Playbook, seen: Observations): Suggestion[] {
  const ranked = playbook.symptoms.map((symptom, order) => {
    const hits = symptom.suggested_by.filter((key) => seen[SEEN_AS[key].key] === true);
    const isDecisive = hits.some((key) => DECISIVE.has(key));
    const hasCause = hits.some((key) => CHANGES.has(key));
    const strongest = hits[0] === undefined ? Infinity : symptom.suggested_by.indexOf(hits[0]);
    return { symptomId: symptom.id, hits, isDecisive, hasCause, strongest, order };
  });
  return ranked
    .filter((each) => each.hits.length > 0)
    .sort(
      (a, b) =>
        Number(b.isDecisive) - Number(a.isDecisive) ||
        b.hits.length - a.hits.length ||
        Number(b.hasCause) - Number(a.hasCause) ||
        a.strongest - b.strongest ||
        a.order - b.order,
    )
    .map(({ symptomId, hits }) => ({ symptomId, why: sentenceOf(hits.map((key) => SEEN_AS[key].phrase)) }));
}

function symptomOf(playbook: Playbook, symptomId: string): Symptom {
  const found = playbook.symptoms.find((each) => each.id === symptomId);
  if (found !== undefined) return found;
  const known = playbook.symptoms.map((each) => each.id).join(', ');
  throw new InputError([`No symptom "${symptomId}" in the playbook. It has: ${known}.`]);
}

function answerTo(step: Step, path: readonly Asked[]): Answer | null {
  const given = path.find((asked) => asked.step === step.id && isAnswer(asked.answer))?.answer;
  return isAnswer(given) ? given : null;
}

/** True for the three answers that a step takes. */
export function isAnswer(value: unknown): value is Answer {
  return value === 'yes' || value === 'no' || value === 'unknown';
}

function stepOf(symptom: Symptom, stepId: string | undefined): Step {
  const found = symptom.steps.find((each) => each.id === stepId);
  if (found === undefined) throw new Error(`playbook: "${symptom.id}" has no step "${stepId}"`);
  return found;
}

function leafOf(playbook: Playbook, leafId: string): Leaf {
  const found = playbook.leaves[leafId];
  if (found === undefined) throw new Error(`playbook: no leaf "${leafId}"`);
  return found;
}

function sentenceOf(phrases: string[]): string {
  const last = phrases.at(-1) ?? '';
  return phrases.length < 2 ? last : `${phrases.slice(0, -1).join(', ')} and ${last}`;
}
