import type { BlockContent, PhrasingContent } from 'mdast';
import { inWords } from './duration.ts';
import type { MitigationFacts, Proof } from './mitigation-facts.ts';
import type { Names } from './mrkdwn.ts';
import {
  bullets,
  clause,
  count,
  heading,
  list,
  measure,
  none,
  paragraph,
  people,
  person,
  sentenceCase,
  strong,
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
    if (!answer?.text.trim()) return [title, none('Not answered yet.')];
    const source = answer.by === 'evidence' ? 'from the evidence' : `by ${person(answer.by, names)}`;
    return [title, ...written(answer.text, names), paragraph(words`Answered ${source}.`)];
  });
}

/** The way through the decision tree, step by step. */
export function decisions({ decisionPath }: PostmortemRecord, names: Names): BlockContent[] {
  if (!decisionPath) return [none('Nobody walked the decision tree.')];
  const { symptom, steps, leaf, tree } = decisionPath;
  const edition = tree === undefined ? [] : words` Edition of the tree: ${tree}.`;
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
  const who = by === 'evidence' ? 'from the evidence' : `said ${person(by, names)}`;
  return words`${question} ${strong(sentenceCase(clause(answer)))}, ${who} at ${utc(at)}.${found}`;
}

/** Every mitigation with who agreed to it and the receipt that says whether it worked. */
export function mitigations({ mitigations: all, incident }: PostmortemRecord, names: Names): Blocks {
  if (all.length === 0) return [none('No mitigation was proposed.')];
  return all.flatMap((one, index) => [
    heading(3, words`Mitigation ${index + 1}`),
    paragraph(words`${sentenceCase(clause(one.summary))}.`),
    bullets(mitigationLines(one, { names, rule: incident.rule })),
  ]);
}

interface Telling {
  readonly names: Names;
  /** The rule whose metric the receipts are in. */
  readonly rule: string | undefined;
}

function mitigationLines(one: MitigationFacts, { names, rule }: Telling): PhrasingContent[][] {
  const voters = people(one.approvedBy, names);
  const approved = voters ? `approved by ${voters}` : 'not approved';
  const lines = [
    words`Plan ${one.id}${change(one)}, proposed by ${person(one.proposedBy, names)}, ${approved}.`,
    words`Status: ${status(one)}.`,
  ];
  if (one.proof) lines.push(receipt(one.proof, rule));
  else if (one.appliedAt) lines.push(words`Receipt: none, because nothing was verified.`);
  if (one.breakGlass) {
    const { by, reason, review } = one.breakGlass;
    const judged = review
      ? words`Reviewed by ${person(review.by, names)}: ${clause(review.text)}.`
      : words`Nobody else has reviewed this yet.`;
    lines.splice(1, 0, words`Break-glass by ${person(by, names)}: ${clause(reason)}. ${judged}`);
  }
  if (one.refused) {
    const { by, reason, isWithdrawn } = one.refused;
    const why = reason ? words`: ${clause(reason)}` : [];
    lines.push(words`${isWithdrawn ? 'Withdrawn' : 'Rejected'} by ${person(by, names)}${why}.`);
  }
  return [...lines, ...leaseLines(one, names)];
}

function status(one: MitigationFacts): string {
  const { appliedAt } = one;
  if (!appliedAt) return `${one.status.replaceAll('-', ' ')}, never applied`;
  const applied = `applied at ${utc(appliedAt)}`;
  return one.status === 'applied' ? applied : `${one.status.replaceAll('-', ' ')}, ${applied}`;
}

const BARE: readonly string[] = ['enabled', 'disabled', 'none', 'unknown'];

// Most summaries name both values, or are about on and off.
function change({ summary, from, to }: MitigationFacts): PhrasingContent[] {
  const isSaid = [from, to].every((one) => summary.includes(one) || BARE.includes(one));
  return isSaid ? [] : words` from ${clause(from)} to ${clause(to)}`;
}

/** What is still on says so, with its owner and its end, and why it is kept. */
function leaseLines(one: MitigationFacts, names: Names): PhrasingContent[][] {
  const lines: PhrasingContent[][] = [];
  const on = one.isOn ? words`It was still on when this was written. ` : [];
  const owner = one.leaseOwner ? words` Its owner is ${person(one.leaseOwner, names)}.` : [];
  if (one.leaseUntil) lines.push(words`${on}Its lease runs until ${utc(one.leaseUntil)}.${owner}`);
  else if (one.isOn) lines.push(words`${on}Its lease has no end.${owner}`);
  if (one.kept)
    lines.push(words`Kept on purpose by ${person(one.kept.by, names)}: ${clause(one.kept.reason)}.`);
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

function receipt(proof: Proof, rule: string | undefined): PhrasingContent[] {
  const { before, after, n, interval, timeToEffectMs, servedAt } = proof;
  const from = n === 0 ? '; no call came in' : `, from ${count(n, 'call')}`;
  const sentences = words`Receipt: ${verdicts[proof.verdict] + from}.`;
  const said = (value: number) => measure(value, rule);
  const within = interval ? words` (interval ${said(interval.lower)} to ${said(interval.upper)})` : [];
  if (before !== undefined && after !== undefined) {
    sentences.push(...words` The metric went from ${said(before)} to ${said(after)}${within}.`);
  } else if (after !== undefined) sentences.push(...words` The metric was ${said(after)}${within}.`);
  const later = timeToEffectMs === undefined ? [] : words`, ${inWords(timeToEffectMs)} after it was applied`;
  if (servedAt) sentences.push(...words` The new state was first served at ${utc(servedAt)}${later}.`);
  else if (timeToEffectMs !== undefined)
    sentences.push(...words` It took effect ${inWords(timeToEffectMs)} after it was applied.`);
  return sentences;
}
