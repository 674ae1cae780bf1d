import type { BlockContent, PhrasingContent } from 'mdast';
import { inWords } from './duration.ts';
import type { MitigationFacts, Proof } from './mitigation-facts.ts';
import type { Names } from './mrkdwn.ts';
import {
  bullets,
  clause,
  heading,
  list,
  none,
  paragraph,
  people,
  person,
  utc,
  words,
  written,
} from './prose.ts';
import { type DecisionStep, type PostmortemRecord, type QuestionKey, questions } from './record.ts';

type Blocks = (BlockContent | ReturnType<typeof heading>)[];

/** The five questions, each with its answer and where the answer came from. */
export function fiveQuestions({ answers }: PostmortemRecord, names: Names): Blocks {
  return (Object.keys(questions) as QuestionKey[]).flatMap((key) => {
    const answer = answers[key];
    const title = heading(3, words`${questions[key]}`);
    if (!answer?.text.trim()) return [title, none('Nobody has answered, and the evidence could not.')];
    const source = answer.by === 'evidence' ? 'from the evidence' : `by ${person(answer.by, names)}`;
    return [title, ...written(answer.text, names), paragraph(words`Answered ${source}.`)];
  });
}

/** The way through the decision tree, step by step. */
export function decisions({ decisionPath }: PostmortemRecord, names: Names): BlockContent[] {
  if (!decisionPath) return [none('Nobody walked the decision tree.')];
  const { symptom, steps, leaf, tree } = decisionPath;
  const edition = tree === undefined ? [] : words` The tree was ${tree}.`;
  const blocks: BlockContent[] = [paragraph(words`The symptom was: ${clause(symptom)}.${edition}`)];
  if (steps.length === 0) blocks.push(paragraph(words`No step was taken.`));
  else
    blocks.push(
      list(
        steps.map((step) => [paragraph(stepLine(step, names))]),
        true,
      ),
    );
  blocks.push(paragraph(leaf ? words`It led to: ${clause(leaf)}.` : words`It did not reach an end.`));
  return blocks;
}

function stepLine({ question, finding, answer, by, at }: DecisionStep, names: Names): PhrasingContent[] {
  const found = finding.trim() ? words` Found: ${clause(finding)}.` : [];
  const who = by === 'evidence' ? 'the evidence' : person(by, names);
  return words`${question}${found} Answer: ${clause(answer)}, from ${who} at ${utc(at)}.`;
}

/** Every mitigation with who agreed to it and the receipt that says whether it worked. */
export function mitigations({ mitigations: all }: PostmortemRecord, names: Names): Blocks {
  if (all.length === 0) return [none('No mitigation was proposed.')];
  return all.flatMap((one, index) => [
    heading(3, words`Mitigation ${index + 1}`),
    paragraph(words`${clause(one.summary)}.`),
    bullets(mitigationLines(one, names)),
  ]);
}

function mitigationLines(one: MitigationFacts, names: Names): PhrasingContent[][] {
  const voters = people(one.approvedBy, names);
  const approved = voters ? `approved by ${voters}` : 'not approved';
  const applied = one.appliedAt ? `, applied at ${utc(one.appliedAt)}` : '';
  const lines = [
    words`Plan ${one.id}: from ${clause(one.from)} to ${clause(one.to)}.`,
    words`Proposed by ${person(one.proposedBy, names)}, ${approved}.`,
    words`Status: ${one.status + applied}.`,
    one.proof ? receipt(one.proof) : words`Receipt: none recorded, because nothing was verified.`,
  ];
  if (one.breakGlass) {
    const { by, reason, review } = one.breakGlass;
    const judged = review
      ? words`Reviewed by ${person(review.by, names)}: ${clause(review.text)}.`
      : words`Review this.`;
    lines.splice(2, 0, words`Break-glass by ${person(by, names)}: ${clause(reason)}. ${judged}`);
  }
  if (one.refused) {
    const { by, reason, isWithdrawn } = one.refused;
    const why = reason ? words`: ${clause(reason)}` : [];
    lines.push(words`${isWithdrawn ? 'Withdrawn' : 'Rejected'} by ${person(by, names)}${why}.`);
  }
  lines.push(...leaseLines(one, names));
  return lines;
}

/** What is still on says so, with its owner and its end, and why it is kept. */
function leaseLines(one: MitigationFacts, names: Names): PhrasingContent[][] {
  const lines: PhrasingContent[][] = [];
  const owner = one.leaseOwner ? words` Its owner is ${person(one.leaseOwner, names)}.` : [];
  if (one.leaseUntil) lines.push(words`Its lease runs until ${utc(one.leaseUntil)}.${owner}`);
  else if (one.isOn) lines.push(words`Its lease has no end.${owner}`);
  if (one.kept)
    lines.push(words`Kept on purpose by ${person(one.kept.by, names)}: ${clause(one.kept.reason)}.`);
  if (one.isOn) lines.push(words`It was still on when this was written.`);
  return lines;
}

/** The recorded root cause with its sign-offs; nothing where nobody recorded one. */
export function rootCause({ rootCause: cause }: PostmortemRecord, names: Names): Blocks {
  if (cause === undefined) return [];
  const signed = cause.signOffs.map(({ by, note, at }) => {
    const said = note ? words`: ${clause(note)}` : [];
    return words`Signed off by ${person(by, names)} at ${utc(at)}${said}.`;
  });
  return [
    heading(3, words`Root cause`),
    ...written(cause.text, names),
    paragraph(words`Recorded by ${person(cause.by, names)} at ${utc(cause.at)}.`),
    ...(signed.length === 0 ? [] : [bullets(signed)]),
  ];
}

const verdicts = { proven: 'proven', unproven: 'unproven', 'not-contained': 'not contained' } as const;

function receipt(proof: Proof): PhrasingContent[] {
  const { before, after, n, interval, timeToEffectMs, servedAt } = proof;
  const sentences = words`Receipt: ${verdicts[proof.verdict]}, from ${n} calls.`;
  if (before !== undefined && after !== undefined) {
    sentences.push(...words` The metric went from ${before} to ${after}.`);
  }
  if (interval) sentences.push(...words` The interval runs from ${interval.lower} to ${interval.upper}.`);
  if (servedAt) sentences.push(...words` The new state was first served at ${utc(servedAt)}.`);
  if (timeToEffectMs !== undefined) {
    sentences.push(...words` It took effect after ${inWords(timeToEffectMs)}.`);
  }
  return sentences;
}
