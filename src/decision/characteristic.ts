import { wilsonBounds } from '../detection/statistics.ts';

/** The five questions about what goes wrong, in the order they are asked. */
export const CHARACTERISTICS = {
  started: 'When did it start?',
  affected: 'What share of requests is affected?',
  failure: 'What does the failure look like?',
  reproducible: 'Does it fail again?',
  changed: 'What changed recently?',
} as const;
export type Characteristic = keyof typeof CHARACTERISTICS;

export const QUESTIONS = Object.keys(CHARACTERISTICS) as Characteristic[];

export function isCharacteristic(word: string): word is Characteristic {
  return Object.hasOwn(CHARACTERISTICS, word);
}

/** What the evidence answers, and what it was read from. */
export interface EvidenceAnswer {
  text: string;
  evidence: Record<string, unknown>;
}

const Z_TWO_SIDED_95 = 1.959963984540054;

/** A change-point of a measure, and what it lay at before and after. */
export interface OnsetFacts {
  at: Date;
  of: 'quality score' | 'format compliance' | 'share of sound answers' | 'the measure that tripped';
  before: number;
  after: number;
}

/** Policy: the change-point where there is one; else what people or the rule said; else that it is not known. */
export function startedAnswer(
  onset: OnsetFacts | null,
  { said, declared }: { said: Date | null; declared: Date },
): EvidenceAnswer {
  if (onset !== null) {
    const { at, of, before, after } = onset;
    const ahead = `${minutesBetween(at, declared)} before it was declared`;
    const text = `${utc(at)}, by the change-point: ${of} ${number(before)} before, ${number(after)} after; ${ahead}.`;
    return { text, evidence: { ...onset } };
  }
  if (said !== null)
    return { text: `About ${utc(said)}, as it was declared; the calls show no change-point.`, evidence: {} };
  return { text: `Not known: the calls show no change-point before ${utc(declared)}.`, evidence: {} };
}

/** Bad calls of those since the onset, and where they gather. */
export interface AffectedFacts {
  calls: number;
  bad: number;
  users: number | null;
  segments: readonly { by: string; name: string; calls: number; bad: number }[];
}

/** The share with its 95 % interval (Wilson), and the segments that fail at least twice as often as the rest. */
export function affectedAnswer(facts: AffectedFacts): EvidenceAnswer {
  const { calls, bad, users, segments } = facts;
  if (calls === 0) return { text: 'Not known: no calls have arrived since it began.', evidence: {} };
  const { lower, upper } = wilsonBounds({ passed: bad, n: calls, z: Z_TWO_SIDED_95 });
  const interval = `95 %: ${percent(lower)} to ${percent(upper)}`;
  const whom = users === null || users === 0 ? '' : `, ${users} users`;
  const standing = standingOut(segments, { calls, bad });
  const where =
    standing.length === 0
      ? 'No endpoint, prompt version or model stands out.'
      : `Most in ${standing.map(({ by, name, calls: n, bad: b }) => `${by} ${name} (${b} of ${n})`).join(', ')}.`;
  const text = `${percent(bad / calls)} of requests (${bad} of ${calls}, ${interval}${whom}). ${where}`;
  return { text, evidence: { calls, bad, lower, upper, users, segments: [...segments] } };
}

const LEAST_OF_SEGMENT = 20;
const TIMES_THE_REST = 2;

/** Policy: a segment stands out when at least 20 calls of it fail twice as often as all others together, which are 20 too. */
function standingOut(
  segments: AffectedFacts['segments'],
  all: { calls: number; bad: number },
): AffectedFacts['segments'] {
  return segments
    .filter(({ calls, bad }) => {
      const rest = { calls: all.calls - calls, bad: all.bad - bad };
      if (calls < LEAST_OF_SEGMENT || rest.calls < LEAST_OF_SEGMENT || bad < 3) return false;
      return bad / calls >= TIMES_THE_REST * (rest.bad / rest.calls);
    })
    .slice(0, 3);
}

export interface FailureFacts {
  calls: number;
  kinds: readonly { kind: string; n: number }[];
  errors: readonly { error: string; n: number }[];
}

/** How the bad calls failed: each kind with its count and its share of all calls since the onset. */
export function failureAnswer({ calls, kinds, errors }: FailureFacts): EvidenceAnswer {
  if (kinds.length === 0) {
    const text =
      calls === 0
        ? 'Not known: no calls to look at.'
        : `None of ${calls} calls fails a check that is made of them.`;
    return { text, evidence: { calls } };
  }
  const named = kinds.map(({ kind, n }) => `${FAILURE_WORDS[kind] ?? kind} ${n} (${percent(n / calls)})`);
  const codes = errors.slice(0, 3).map(({ error, n }) => `${error} ${n}`);
  const said = codes.length === 0 ? '' : ` Errors: ${codes.join(', ')}.`;
  return {
    text: `${capital(named.join(', '))} of ${calls} calls.${said}`,
    evidence: { calls, kinds: [...kinds], errors: [...errors] },
  };
}

const FAILURE_WORDS: Readonly<Record<string, string>> = {
  error: 'errors',
  format: 'broken format',
  refusal: 'refusals',
  'low score': 'low scores',
  short: 'too short',
};

/** How three failing calls went when they were sent again. */
export interface ReproductionFacts {
  /** What was asked again, with the verdict: fail is a reproduction. */
  replays: readonly { callId: number; verdict: 'pass' | 'fail' | 'unjudged'; note: string | null }[];
  /** Failing calls that can be sent by hand, with a text. */
  candidates: readonly number[];
  /** Why nothing can be replayed from here; null where it can. */
  obstacle: string | null;
}

/** Policy: only a replay says that it fails again; before one, how to try it. */
export function reproducibleAnswer({ replays, candidates, obstacle }: ReproductionFacts): EvidenceAnswer {
  const evidence = { replays: [...replays], candidates: [...candidates] };
  if (replays.length > 0) {
    const failed = replays.filter(({ verdict }) => verdict === 'fail').length;
    const unjudged = replays.filter(({ verdict }) => verdict === 'unjudged').length;
    const notes = [
      ...new Set(replays.flatMap(({ verdict, note }) => (verdict === 'fail' && note !== null ? [note] : []))),
    ];
    const how = notes.length === 0 ? '' : ` (${notes.slice(0, 3).join('; ')})`;
    const rest = unjudged === 0 ? '' : `; ${unjudged} could not be judged`;
    const lead =
      failed === replays.length
        ? 'Yes'
        : failed === 0
          ? unjudged === replays.length
            ? 'Not known'
            : 'No'
          : 'Partly';
    return {
      text: `${lead}: ${failed} of ${replays.length} failing examples fail again when sent to what is served now${how}${rest}.`,
      evidence,
    };
  }
  if (candidates.length === 0)
    return { text: 'Not known: no failing example with a text is kept.', evidence };
  const many = candidates.length === 1 ? 'the failing example' : `${candidates.length} failing examples`;
  const how = obstacle === null ? `Replay ${many} with the button` : `Send ${many} by hand (${obstacle})`;
  return { text: `Not tried yet. ${how}.`, evidence };
}

/** The most suspicious changes, one clause each with its distance from the onset. */
export function changedAnswer(
  changes: readonly { sentence: string; fromOnsetMs: number; at: Date }[],
): EvidenceAnswer {
  const evidence = { changes: changes.map(({ sentence, at }) => ({ sentence, at })) };
  if (changes.length === 0)
    return { text: 'Nothing that the ledger has seen in the 24 hours before it began.', evidence };
  const said = changes
    .slice(0, 3)
    .map(({ sentence, fromOnsetMs }) => `${sentence}, ${distance(fromOnsetMs)}`);
  return { text: `${said.join('; ')}.`, evidence };
}

/** "12 min before it began"; a minute is how well an onset is known. */
export function distance(fromOnsetMs: number): string {
  const minutes = Math.round(fromOnsetMs / 60_000);
  if (Math.abs(minutes) <= 1) return 'as it began';
  return `${span(Math.abs(minutes))} ${minutes < 0 ? 'before' : 'after'} it began`;
}

function span(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  if (minutes < 2 * 24 * 60) return `${Math.round(minutes / 60)} h`;
  return `${Math.round(minutes / (24 * 60))} days`;
}

/** How long lies between two moments, in words. */
export function minutesBetween(from: Date, to: Date): string {
  return span(Math.max(0, Math.round((to.getTime() - from.getTime()) / 60_000)));
}

const utc = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const percent = (share: number) =>
  `${share > 0 && share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
const number = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toFixed(2));
const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
