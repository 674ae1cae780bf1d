import { quantileSorted } from 'simple-statistics';
import { sensitiveKinds } from '../redaction.ts';
import { type Assertion, checkAssertion, isPattern } from './assertion.ts';
import type { OutputShape, RecordedCall } from './recorded-call.ts';

export interface Failure {
  readonly calls: readonly RecordedCall[];
  /** Good calls with the same input: they say what the answer is. */
  readonly twins: readonly RecordedCall[];
  /** All good calls: they say what any answer looks like. */
  readonly good: readonly RecordedCall[];
}

export interface ProposedAssertion {
  readonly assertion: Assertion;
  /** The recorded good outputs that must pass it. */
  readonly against: readonly RecordedCall[];
}

const maxAnswerChars = 80;
const minGoodLengths = 5;

/** What the kinds of failure suggest. Each is only proposed: it counts once the recorded outputs agree. */
export function proposedFor({ calls, twins, good }: Failure, shape: OutputShape): ProposedAssertion[] {
  const wellFormed = good.filter((call) => call.formatOk !== false);
  const proposals: ProposedAssertion[] = [];
  const add = (assertion: Assertion | undefined, against: readonly RecordedCall[]) => {
    if (assertion && against.length > 0) proposals.push({ assertion, against });
  };
  add(sharedAnswer(twins), twins);
  if (calls.some((call) => call.formatOk === false)) {
    add(declaredFormat(shape, wellFormed) ?? sharedFormat(wellFormed), wellFormed);
  }
  if (proposals.length === 0) add(minimumLength(calls, good), good);
  if (proposals.length === 0) add(maximumLength(calls, good), good);
  for (const phrase of refusals) add({ type: 'not-icontains', value: phrase }, good);
  for (const leaked of leakShapes(calls)) add({ type: 'not-regex', value: leaked }, good);
  return proposals;
}

// The answer is the last bracketed token, or a short last line, that all good outputs of this input agree on; two
// that are the same to the letter are the reference themselves.
function sharedAnswer(twins: readonly RecordedCall[]): Assertion | undefined {
  const answers = new Set(twins.map((call) => finalAnswer(call.output)));
  const [answer] = answers;
  if (answers.size === 1 && answer) return { type: 'contains', value: answer };
  const [first, ...others] = twins;
  const isAgreed = others.length > 0 && others.every((twin) => twin.output === first?.output);
  return isAgreed && first ? { type: 'equals', value: first.output } : undefined;
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

/** The format of the configuration, in a form that the good outputs keep as they are. */
function declaredFormat(shape: OutputShape, good: readonly RecordedCall[]): Assertion | undefined {
  const { $schema: _, ...bare } = shape.jsonSchema ?? {};
  const schema: Assertion[] = shape.jsonSchema ? [{ type: 'is-json', schema: bare }] : [];
  const pattern: Assertion[] =
    shape.pattern && isPattern(shape.pattern) ? [{ type: 'regex', value: shape.pattern }] : [];
  return [...schema, ...pattern].find((assertion) =>
    good.every((call) => checkAssertion(assertion, call.output) === 'pass'),
  );
}

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

function lengthsOf(calls: readonly RecordedCall[]): number[] {
  return calls.map((call) => call.output.length).sort((a, b) => a - b);
}

// A collapse is an output less than half as long as 95 % of the good ones; the bar lies between the two.
function minimumLength(bad: readonly RecordedCall[], good: readonly RecordedCall[]): Assertion | undefined {
  if (good.length < minGoodLengths) return undefined;
  const lengths = lengthsOf(good);
  const fifthPercentile = quantileSorted(lengths, 0.05);
  const longestBad = Math.max(...bad.map((call) => call.output.length));
  if (longestBad * 2 >= fifthPercentile) return undefined;
  // No good output may fall below the bar, not even the shortest twentieth.
  const ceiling = Math.min(fifthPercentile, lengths[0] ?? 0);
  const chars = Math.ceil((longestBad + ceiling) / 2);
  return chars > longestBad ? { type: 'min-length', chars } : undefined;
}

// A flood is an output more than twice as long as every good one; the bar lies between the two.
function maximumLength(bad: readonly RecordedCall[], good: readonly RecordedCall[]): Assertion | undefined {
  if (good.length < minGoodLengths) return undefined;
  const longestGood = lengthsOf(good).at(-1) ?? 0;
  const shortestBad = Math.min(...bad.map((call) => call.output.length));
  if (shortestBad <= longestGood * 2) return undefined;
  return { type: 'max-length', chars: Math.floor((longestGood + shortestBad) / 2) };
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
