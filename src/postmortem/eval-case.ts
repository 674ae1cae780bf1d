import { quantileSorted } from 'simple-statistics';
import { redact, sensitiveKinds } from '../redaction.ts';
import { type Assertion, checkAssertion } from './assertion.ts';

/** One recorded call of the service, as it was sent and answered. */
export interface RecordedCall {
  readonly callId: string;
  readonly input: string;
  readonly output: string;
  readonly score?: number | undefined;
  readonly formatOk?: boolean | undefined;
  readonly model?: string | undefined;
  readonly promptVersion?: string | undefined;
}

/** One test that would have caught the incident. Everything in it is redacted and safe to export. */
export interface EvalCase {
  readonly incidentId: string;
  readonly callId: string;
  readonly description: string;
  readonly input: string;
  readonly assertions: readonly Assertion[];
  /** True when the recorded bad outputs fail the case and recorded good outputs pass it. */
  readonly proven: boolean;
  /** Why it is proven or what is missing, in a sentence or two. */
  readonly why: string;
}

const maxCases = 5;
const maxAnswerChars = 80;
const minGoodLengths = 5;

interface Failure {
  readonly calls: readonly RecordedCall[];
  /** Good calls with the same input: they say what the answer is. */
  readonly twins: readonly RecordedCall[];
  /** All good calls: they say what any answer looks like. */
  readonly good: readonly RecordedCall[];
}

interface Candidate {
  readonly assertion: Assertion;
  /** The recorded good outputs that must pass it. */
  readonly against: readonly RecordedCall[];
}

/**
 * One case for each distinct failing input, five at most, the kinds of failure in turn; within a kind, inputs whose
 * right answer is known first. An assertion is kept only when it fails on the recorded bad outputs and passes on the
 * recorded good ones, in the form that is exported.
 */
export function proposeCases(recorded: {
  incidentId: string;
  bad: readonly RecordedCall[];
  good: readonly RecordedCall[];
}): EvalCase[] {
  const worstFirst = recorded.bad.toSorted((a, b) => (a.score ?? Infinity) - (b.score ?? Infinity));
  const failures = Map.groupBy(worstFirst, sameInput);
  const twins = Map.groupBy(recorded.good, sameInput);
  const isKnown = ([input]: [string, unknown]) => Number(twins.has(input));
  const knownFirst = [...failures].sort((a, b) => isKnown(b) - isKnown(a));
  const kinds = Map.groupBy(knownFirst, ([, calls]) => calls[0]?.formatOk === false);
  return inTurn([...kinds.values()])
    .slice(0, maxCases)
    .map(([input, calls]) => {
      return toCase(recorded.incidentId, { calls, twins: twins.get(input) ?? [], good: recorded.good });
    });
}

/** The first of each list, then the second of each, and so on. */
function inTurn<T>(lists: readonly T[][]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

/** Inputs that differ in white space only are one input. */
function sameInput(call: RecordedCall): string {
  return call.input.replace(/\s+/g, ' ').trim();
}

function toCase(incidentId: string, failure: Failure): EvalCase {
  const [first] = failure.calls;
  if (!first) throw new Error('a failure holds at least one call');
  const kept = candidates(failure).filter((candidate) => discriminates(candidate, failure));
  const assertions = kept.map((candidate) => candidate.assertion);
  // A wrong answer is only forbidden to the letter where nothing better tells it from a right one.
  const fallback = assertions.length > 0 ? [] : forbidden(failure);
  const checkable = [...assertions, ...fallback];
  return {
    incidentId,
    callId: first.callId,
    description: describe(first),
    input: exported(first.input),
    assertions: [...checkable, rubric(failure)],
    ...judge(checkable, kept, failure),
  };
}

function describe({ formatOk, score, promptVersion, model }: RecordedCall): string {
  const scored = score === undefined ? 'a bad output' : `a score of ${score}`;
  const kind = formatOk === false ? 'a broken format' : scored;
  const from = [promptVersion && `prompt ${promptVersion}`, model].filter(Boolean).join(' on ');
  return redact(`This call got ${kind}${from ? ` from ${from}` : ''}.`);
}

/** What the kinds of failure suggest. Each is only a candidate until the recorded outputs agree. */
function candidates({ calls, twins, good }: Failure): Candidate[] {
  const wellFormed = good.filter((call) => call.formatOk !== false);
  const proposals: Candidate[] = [];
  const add = (assertion: Assertion | undefined, against: readonly RecordedCall[]) => {
    if (assertion && against.length > 0) proposals.push({ assertion, against });
  };
  add(sharedAnswer(twins), twins);
  if (calls.some((call) => call.formatOk === false)) add(sharedFormat(wellFormed), wellFormed);
  if (proposals.length === 0) add(minimumLength(calls, good), good);
  for (const phrase of refusals) add({ type: 'not-icontains', value: phrase }, good);
  for (const shape of leakShapes(calls)) add({ type: 'not-regex', value: shape }, good);
  return proposals;
}

// The answer is the last bracketed token, or a short last line, that all good outputs of this input agree on.
function sharedAnswer(twins: readonly RecordedCall[]): Assertion | undefined {
  const answers = new Set(twins.map((call) => finalAnswer(call.output)));
  const [answer] = answers;
  return answers.size === 1 && answer ? { type: 'contains', value: answer } : undefined;
}

function finalAnswer(output: string): string | undefined {
  const bracketed = output.match(bracketedToken)?.at(-1);
  if (bracketed) return bracketed;
  const line = output.trim().split('\n').at(-1)?.trim() ?? '';
  return line !== '' && line.length <= maxAnswerChars ? line : undefined;
}

const bracketedToken = /\[[^[\]\n]{1,40}\]/g;
const jsonObject = '^\\s*\\{[\\s\\S]*\\}\\s*$';
const jsonArray = '^\\s*\\[[\\s\\S]*\\]\\s*$';

// The format is the one all good outputs share: JSON, the same few bracketed tokens, or any bracketed token.
function sharedFormat(good: readonly RecordedCall[]): Assertion | undefined {
  const outputs = good.map((call) => call.output);
  if (outputs.length === 0) return undefined;
  for (const json of [jsonObject, jsonArray]) {
    if (outputs.every((output) => new RegExp(json).test(output))) return { type: 'regex', value: json };
  }
  const tokens = outputs.map((output) => output.match(bracketedToken)?.at(-1));
  if (tokens.some((token) => token === undefined)) return undefined;
  const few = [...new Set(tokens as string[])].sort();
  if (few.length > 5) return { type: 'regex', value: '\\[[^\\[\\]]{1,40}\\]' };
  return { type: 'regex', value: few.map(escapeRegex).join('|') };
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

// A collapse is an output less than half as long as 95 % of the good ones; the bar lies between the two.
function minimumLength(bad: readonly RecordedCall[], good: readonly RecordedCall[]): Assertion | undefined {
  if (good.length < minGoodLengths) return undefined;
  const lengths = good.map((call) => call.output.length).sort((a, b) => a - b);
  const fifthPercentile = quantileSorted(lengths, 0.05);
  const longestBad = Math.max(...bad.map((call) => call.output.length));
  if (longestBad * 2 >= fifthPercentile) return undefined;
  // No good output may fall below the bar, not even the shortest twentieth.
  const ceiling = Math.min(fifthPercentile, lengths[0] ?? 0);
  const chars = Math.ceil((longestBad + ceiling) / 2);
  return chars > longestBad ? { type: 'min-length', chars } : undefined;
}

// A refusal that no good output utters is itself the failure.
const refusals = [
  'i cannot',
  "i can't",
  "i'm sorry",
  'i am sorry',
  'i am unable',
  "i'm unable",
  'as an ai',
] as const;

const leaks = {
  email: '[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\\.[A-Za-z]{2,24}',
  card: '\\b\\d{4}[ -]?\\d{4}[ -]?\\d{4}[ -]?\\d{1,7}\\b',
  id: '\\b\\d{3}-\\d{2}-\\d{4}\\b',
  key: '\\b(?:sk-|xox[a-z]-|AKIA|ghp_|AIza|glpat-)[A-Za-z0-9_-]{10,}',
  iban: '\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}',
} as const;

// What leaked must not come back with another value, so the case forbids its shape and holds no value.
function leakShapes(calls: readonly RecordedCall[]): string[] {
  const kinds = new Set(calls.flatMap((call) => [...sensitiveKinds(call.output)]));
  const leaked = (Object.keys(leaks) as (keyof typeof leaks)[]).filter((kind) => kinds.has(kind));
  return leaked.map((kind) => leaks[kind]);
}

/** The outputs that are known to be wrong, word for word, three at most. */
function forbidden({ calls, twins }: Failure): Assertion[] {
  const outputs = [...new Set(calls.map((call) => call.output))].slice(0, 3);
  return outputs
    .filter((output) => exported(output) === output && !twins.some((twin) => twin.output === output))
    .map((value) => ({ type: 'not-equals', value }));
}

function rubric({ calls, twins }: Failure): Assertion {
  const [call] = calls;
  const [twin] = twins;
  const wrong = exported(excerpt(call?.output ?? ''));
  const right = twin ? ` An acceptable answer was “${exported(excerpt(twin.output))}”.` : '';
  return { type: 'llm-rubric', value: `The answer must not repeat this known failure: “${wrong}”.${right}` };
}

function excerpt(output: string): string {
  return output.length <= 300 ? output : `${output.slice(0, 300).toWellFormed()}…`;
}

function discriminates({ assertion, against }: Candidate, { calls }: Failure): boolean {
  if ('value' in assertion && exported(assertion.value) !== assertion.value) return false;
  return (
    calls.every((call) => checkAssertion(assertion, call.output) === 'fail') &&
    against.every((call) => checkAssertion(assertion, call.output) === 'pass')
  );
}

// Proven takes a bad output that fails and a good output that passes; without a good one nothing is proven.
function judge(
  checkable: readonly Assertion[],
  kept: readonly Candidate[],
  { calls, twins }: Failure,
): { proven: boolean; why: string } {
  const fails = (call: RecordedCall) => checkable.some((one) => checkAssertion(one, call.output) === 'fail');
  if (!calls.every(fails)) return { proven: false, why: 'A recorded bad output passes it.' };
  const witnesses = new Set([...twins, ...kept.flatMap((candidate) => candidate.against)]);
  if (witnesses.size === 0) {
    return { proven: false, why: 'No good output was recorded to pass it; replay the fixed version.' };
  }
  if ([...twins].some(fails)) return { proven: false, why: 'A recorded good output of this input fails it.' };
  const outputs = witnesses.size === 1 ? 'output' : 'outputs';
  const counts = `fails on ${calls.length} bad and passes on ${witnesses.size} good ${outputs}, as recorded`;
  if (kept.length > 0) return { proven: true, why: `It ${counts}.` };
  return { proven: true, why: `It ${counts}, but it only forbids the exact wrong output. Sharpen it.` };
}

// promptfoo renders texts as templates, more than once, and loads what starts like a file. Neither may happen
// to recorded text, so opening template marks are pulled apart and a leading scheme is pushed off the start.
function exported(text: string): string {
  const inert = redact(text)
    .toWellFormed()
    .replace(/\{(?=[{%#])/g, '{ ');
  return /^(?:file|package|exec|python|javascript):/i.test(inert) ? ` ${inert}` : inert;
}
