import { type Assertion, checkAssertion } from './assertion.ts';
import { deidentified } from './deidentify.ts';
import { type Failure, type ProposedAssertion, proposedFor } from './propose-assertions.ts';
import type { OutputShape, RecordedCall } from './recorded-call.ts';

/** One test that would have caught the incident. Everything in it is de-identified and safe to export. */
export interface EvalCase {
  readonly incidentId: string;
  readonly callId: string;
  /** The service and the prompt that it is about; a prompt without a name is left out. */
  readonly service?: string | undefined;
  readonly promptName?: string | undefined;
  readonly description: string;
  readonly input: string;
  readonly assertions: readonly Assertion[];
  /** A recorded good answer to this input. */
  readonly reference?: string | undefined;
  /** True when the recorded bad outputs fail the case and recorded good outputs pass it. */
  readonly proven: boolean;
  /** Why it is proven or what is missing, in a sentence or two. */
  readonly why: string;
}

export interface Recorded {
  incidentId: string;
  service?: string | undefined;
  shape?: OutputShape | undefined;
  bad: readonly RecordedCall[];
  good: readonly RecordedCall[];
}

const maxCases = 5;
const maxReferenceChars = 2_000;

/**
 * One case for each distinct failing input, five at most, the kinds of failure in turn; within a kind, inputs whose
 * right answer is known first. An assertion is kept only when it fails on the recorded bad outputs and passes on the
 * recorded good ones, in the form that is exported.
 */
export function proposeCases(recorded: Recorded): EvalCase[] {
  const worstFirst = recorded.bad.toSorted((a, b) => (a.score ?? Infinity) - (b.score ?? Infinity));
  const failures = Map.groupBy(worstFirst, sameInput);
  const twins = Map.groupBy(recorded.good, sameInput);
  const isKnown = ([input]: [string, unknown]) => Number(twins.has(input));
  const knownFirst = [...failures].sort((a, b) => isKnown(b) - isKnown(a));
  const kinds = Map.groupBy(knownFirst, ([, calls]) => calls[0]?.formatOk === false);
  return inTurn([...kinds.values()])
    .slice(0, maxCases)
    .map(([input, calls]) => {
      return toCase(recorded, { calls, twins: twins.get(input) ?? [], good: recorded.good });
    });
}

/**
 * The case of one call that somebody chose, with the recorded failures of the same input. With `asked` it demands that
 * alone, whether the recorded outputs agree or not: the case says which.
 */
export function caseOf(recorded: Recorded, chosen: RecordedCall, asked: Assertion | null): EvalCase {
  const input = sameInput(chosen);
  const others = recorded.bad.filter((call) => sameInput(call) === input && call.callId !== chosen.callId);
  const twins = recorded.good.filter((call) => sameInput(call) === input && call.callId !== chosen.callId);
  const good = recorded.good.filter((call) => call.callId !== chosen.callId);
  const failure: Failure = { calls: [chosen, ...others], twins, good };
  return asked === null ? toCase(recorded, failure) : askedCase(recorded, failure, asked);
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

/** As it leaves: the same stand-ins for the same people throughout one case. */
type Exported = (text: string) => string;

function toCase(recorded: Recorded, failure: Failure): EvalCase {
  const exported = exporting(recorded, failure);
  const kept = proposedFor(failure, recorded.shape ?? {}).filter((one) => {
    return isExact(one.assertion, exported) && discriminates(one, failure);
  });
  const assertions = kept.map((one) => one.assertion);
  // A wrong answer is only forbidden to the letter where nothing better tells it from a right one.
  const fallback = assertions.length > 0 ? [] : forbidden(failure, exported);
  const checkable = [...assertions, ...fallback];
  return {
    ...factsOf(recorded, failure, exported),
    assertions: [...checkable, rubric(failure, exported)],
    ...judge(checkable, kept, failure),
  };
}

/** Policy: what a person demands must hold for good outputs of this input; where none was recorded, for all good ones. */
function askedCase(recorded: Recorded, failure: Failure, demand: Assertion): EvalCase {
  const exported = exporting(recorded, failure);
  const asked = 'value' in demand ? { ...demand, value: exported(demand.value) } : demand;
  const against = failure.twins.length > 0 ? failure.twins : failure.good;
  const isRubric = asked.type === 'llm-rubric';
  const assertions = isRubric ? [asked] : [asked, rubric(failure, exported)];
  return { ...factsOf(recorded, failure, exported), assertions, ...judgeAsked(asked, against, failure) };
}

function judgeAsked(
  asked: Assertion,
  against: readonly RecordedCall[],
  { calls }: Failure,
): Pick<EvalCase, 'proven' | 'why'> {
  if (asked.type === 'llm-rubric') return { proven: false, why: 'Only a model can judge a rubric.' };
  if (!calls.every((call) => checkAssertion(asked, call.output) === 'fail'))
    return { proven: false, why: 'A recorded bad output passes it.' };
  if (against.length === 0)
    return { proven: false, why: 'No good output was recorded to pass it; replay the fixed version.' };
  if (!against.every((call) => checkAssertion(asked, call.output) === 'pass'))
    return { proven: false, why: 'A recorded good output fails it.' };
  return { proven: true, why: `It ${counted(calls.length, against.length)}.` };
}

function factsOf({ incidentId, service }: Recorded, { calls, twins }: Failure, exported: Exported) {
  const [first] = calls;
  if (!first) throw new Error('a failure holds at least one call');
  const reference = twins[0]?.output;
  return {
    incidentId,
    callId: first.callId,
    service,
    promptName: first.promptName,
    description: exported(describe(first)),
    input: exported(first.input),
    reference: reference === undefined ? undefined : exported(excerpt(reference, maxReferenceChars)),
  };
}

function describe({ formatOk, score, promptVersion, model }: RecordedCall): string {
  const scored = score === undefined ? 'a bad output' : `a score of ${score}`;
  const kind = formatOk === false ? 'a broken format' : scored;
  const from = [promptVersion && `prompt ${promptVersion}`, model].filter(Boolean).join(' on ');
  return `This call got ${kind}${from ? ` from ${from}` : ''}.`;
}

/** The outputs that are known to be wrong, word for word, three at most. */
function forbidden({ calls, twins }: Failure, exported: Exported): Assertion[] {
  const outputs = [...new Set(calls.map((call) => call.output))].slice(0, 3);
  return outputs
    .filter((output) => exported(output) === output && !twins.some((twin) => twin.output === output))
    .map((value) => ({ type: 'not-equals', value }));
}

function rubric({ calls, twins }: Failure, exported: Exported): Assertion {
  const [call] = calls;
  const [twin] = twins;
  const wrong = exported(excerpt(call?.output ?? ''));
  const right = twin ? ` An acceptable answer was “${exported(excerpt(twin.output))}”.` : '';
  return { type: 'llm-rubric', value: `The answer must not repeat this known failure: “${wrong}”.${right}` };
}

function excerpt(output: string, most = 300): string {
  return output.length <= most ? output : `${output.slice(0, most).toWellFormed()}…`;
}

/** Demanded as it was recorded, or not at all: what de-identifying changes would demand something else. */
function isExact(assertion: Assertion, exported: Exported): boolean {
  if ('schema' in assertion) {
    const text = JSON.stringify(assertion.schema);
    return !/\{\{|\{%|\{#/.test(text);
  }
  return !('value' in assertion) || exported(assertion.value) === assertion.value;
}

function discriminates({ assertion, against }: ProposedAssertion, { calls }: Failure): boolean {
  return (
    calls.every((call) => checkAssertion(assertion, call.output) === 'fail') &&
    against.every((call) => checkAssertion(assertion, call.output) === 'pass')
  );
}

// Proven takes a bad output that fails and a good output that passes; without a good one nothing is proven.
function judge(
  checkable: readonly Assertion[],
  kept: readonly ProposedAssertion[],
  { calls, twins }: Failure,
): Pick<EvalCase, 'proven' | 'why'> {
  const fails = (call: RecordedCall) => checkable.some((one) => checkAssertion(one, call.output) === 'fail');
  if (!calls.every(fails)) return { proven: false, why: 'A recorded bad output passes it.' };
  const witnesses = new Set([...twins, ...kept.flatMap((candidate) => candidate.against)]);
  if (witnesses.size === 0) {
    return { proven: false, why: 'No good output was recorded to pass it; replay the fixed version.' };
  }
  if ([...twins].some(fails)) return { proven: false, why: 'A recorded good output of this input fails it.' };
  const counts = counted(calls.length, witnesses.size);
  if (kept.length > 0) return { proven: true, why: `It ${counts}.` };
  return { proven: true, why: `It ${counts}, but it only forbids the exact wrong output. Sharpen it.` };
}

function counted(bad: number, good: number): string {
  return `fails on ${bad} bad and passes on ${good} good ${good === 1 ? 'output' : 'outputs'}, as recorded`;
}

function exporting({ incidentId }: Recorded, { calls, twins }: Failure): Exported {
  const people = [...new Set([...calls, ...twins].flatMap((call) => call.people ?? []))];
  return (text) => inert(deidentified(text, { people, salt: incidentId }));
}

// promptfoo renders texts as templates, more than once, and loads what starts like a file. Neither may happen
// to recorded text, so opening template marks are pulled apart and a leading scheme is pushed off the start.
function inert(text: string): string {
  const flat = text.toWellFormed().replace(/\{(?=[{%#])/g, '{ ');
  return /^(?:file|package|exec|python|javascript):/i.test(flat) ? ` ${flat}` : flat;
}
