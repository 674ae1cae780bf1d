import { wholePercent } from '../detection/amount.ts';
/** One call by what it took, from whom and for what; `thread` is what belongs together: a session, or a trace. */
export interface CostCall {
  user: string | null;
  thread: string;
  tokens: number;
  input: string | null;
}

/** Calls of a window, or an even sample of whole threads of them. */
export interface Usage {
  /** All calls of the window. */
  calls: number;
  minutes: number;
  sample: readonly CostCall[];
}

export type CostKind = 'injection' | 'loop' | 'load' | 'unclear';

export interface CostVerdict {
  kind: CostKind;
  /** What speaks for it, in one clause each. */
  because: string[];
  /** Who took most of the tokens, as a limit names them; null where nobody stands out. */
  subject: string | null;
}

/** What the calls of one window show. */
interface Measured {
  n: number;
  users: number;
  callsPerMinute: number;
  tokensPerCall: number;
  /** Of all tokens, by the one who took most. */
  topShare: number;
  topUser: string | null;
  /** Calls whose input said the same as another one of its thread or its user did. */
  repeatedShare: number;
  /** Calls of the deepest thread. */
  deepest: number;
  /** Share of tokens in the threads that are deeper than 10 calls. */
  deepShare: number;
  /** Calls that try to give the model other orders. */
  marked: number;
}

const LEAST_CALLS = 20;
/** Of tokens: more than this by one is no spread. */
const TOP_SHARE = 0.3;
const REPEATED = 0.5;
const DEEP_CALLS = 10;
const DEEP_SHARE = 0.3;
const MARKED_SHARE = 0.05;
const LEAST_MARKED = 3;
const GREW = 1.5;

/** Ways of giving a model other orders than its owner's, as they are seen in attacks. Bounded, so that they stay linear. */
const MARKERS = [
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your)\b.{0,30}\b(?:instruction|prompt|rule|guideline)s?\b/i,
  /\b(?:reveal|print|show|repeat|output)\b.{0,40}\b(?:system|hidden|initial)\b.{0,15}\b(?:prompt|instruction)s?\b/i,
  /\byou are (?:now|no longer)\b.{0,60}\b(?:dan|jailbroken|unrestricted|developer mode|bound by)\b/i,
  /<\|(?:im_start|im_end|system|endoftext)\|>|\[\/?INST\]|<<SYS>>/,
  /\b(?:repeat|say|write|print)\b.{0,60}\b(?:forever|endlessly|(?:\d[\d,. ]{3,}|a (?:thousand|million)) times)\b/i,
];

/** True for an input that holds one of the known ways to give a model other orders. */
export function isInjection(input: string): boolean {
  return MARKERS.some((marker) => marker.test(input));
}

/**
 * Policy: an injection attack when at least 5 % of inputs (and three) try to give the model other orders, twice as often as
 * before; else a runaway loop when the calls repeat themselves, or run deep in few threads, and somebody takes much more
 * than a share; else legitimate load when the calls grew, spread over users as before, at the same tokens a call; else
 * unclear, with what was seen. Fewer than 20 calls are unclear.
 */
export function costKind({ now, before }: { now: Usage; before: Usage }): CostVerdict {
  const is = measure(now);
  const was = measure(before);
  if (is.n < LEAST_CALLS)
    return { kind: 'unclear', because: [`only ${is.n} calls to look at`], subject: null };
  const subject = is.topShare > TOP_SHARE && is.topUser !== null ? `user ${is.topUser}` : null;
  const injection = injectionReasons(is, was);
  if (injection.length > 0) return { kind: 'injection', because: [...injection, ...spread(is)], subject };
  const loop = loopReasons(is, was);
  if (loop.length > 0) return { kind: 'loop', because: [...loop, ...spread(is)], subject };
  const load = loadReasons(is, was);
  if (load.length > 0) return { kind: 'load', because: load, subject: null };
  return { kind: 'unclear', because: [...spread(is), perCall(is, was)], subject };
}

function injectionReasons(is: Measured, was: Measured): string[] {
  const share = is.marked / is.n;
  const shareBefore = was.n === 0 ? 0 : was.marked / was.n;
  if (is.marked < LEAST_MARKED || share < MARKED_SHARE || share < 2 * shareBefore) return [];
  return [
    `${is.marked} of ${is.n} inputs try to give the model other orders (${wholePercent(shareBefore)} before)`,
  ];
}

function loopReasons(is: Measured, was: Measured): string[] {
  const repeats = is.repeatedShare >= REPEATED && is.repeatedShare >= 2 * was.repeatedShare;
  const isDeep = is.deepest > DEEP_CALLS && is.deepShare >= DEEP_SHARE && is.deepShare >= 2 * was.deepShare;
  const reasons: string[] = [];
  if (repeats)
    reasons.push(
      `${wholePercent(is.repeatedShare)} of inputs repeat an earlier one (${wholePercent(was.repeatedShare)} before)`,
    );
  if (isDeep) reasons.push(`one thread is ${is.deepest} calls deep; the deepest before had ${was.deepest}`);
  return reasons;
}

function loadReasons(is: Measured, was: Measured): string[] {
  if (was.n < LEAST_CALLS) return [];
  const grew = is.callsPerMinute >= GREW * was.callsPerMinute;
  const isSpread = is.topShare <= Math.max(TOP_SHARE, GREW * was.topShare);
  const isAsDear = is.tokensPerCall <= GREW * was.tokensPerCall;
  if (!grew || !isSpread || !isAsDear) return [];
  const rates = `${rate(was.callsPerMinute)} → ${rate(is.callsPerMinute)} calls a minute`;
  return [
    `${rates}, by ${is.users} users`,
    `nobody takes more than ${wholePercent(is.topShare)} of the tokens`,
    perCall(is, was),
  ];
}

function spread({ topShare, topUser, users }: Measured): string[] {
  if (topUser === null) return [];
  const many = `${users} ${users === 1 ? 'user' : 'users'} in all`;
  return [`user ${topUser} takes ${wholePercent(topShare)} of the tokens (${many})`];
}

const perCall = (is: Measured, was: Measured) =>
  was.n === 0
    ? `${Math.round(is.tokensPerCall)} tokens a call`
    : `${Math.round(was.tokensPerCall)} → ${Math.round(is.tokensPerCall)} tokens a call`;

function measure({ calls, minutes, sample }: Usage): Measured {
  const n = sample.length;
  const tokens = sumOf(sample);
  const users = Map.groupBy(
    sample.filter(({ user }) => user !== null),
    ({ user }) => user,
  );
  const threads = [...Map.groupBy(sample, ({ thread }) => thread).values()];
  const deep = threads.filter((thread) => thread.length > DEEP_CALLS);
  const [topUser, topCalls] = [...users].sort(([, a], [, b]) => sumOf(b) - sumOf(a))[0] ?? [null, []];
  return {
    n,
    users: users.size,
    callsPerMinute: minutes > 0 ? calls / minutes : 0,
    tokensPerCall: n === 0 ? 0 : tokens / n,
    topShare: tokens === 0 ? 0 : sumOf(topCalls) / tokens,
    topUser,
    repeatedShare: n === 0 ? 0 : repeatedIn(sample) / n,
    deepest: threads.reduce((most, thread) => Math.max(most, thread.length), 0),
    deepShare: tokens === 0 ? 0 : deep.reduce((sum, thread) => sum + sumOf(thread), 0) / tokens,
    marked: sample.filter(({ input }) => input !== null && isInjection(input)).length,
  };
}

/** The same words by the same user or in the same thread; numbers and case make no other words. */
function repeatedIn(sample: readonly CostCall[]): number {
  const seen = new Set<string>();
  let repeated = 0;
  for (const { user, thread, input } of sample) {
    if (input === null) continue;
    const words = input.toLowerCase().replace(/\d+/g, '#').replace(/\s+/g, ' ').trim();
    const keys = [`thread ${thread} ${words}`, ...(user === null ? [] : [`user ${user} ${words}`])];
    if (keys.some((key) => seen.has(key))) repeated += 1;
    for (const key of keys) seen.add(key);
  }
  return repeated;
}

const sumOf = (calls: readonly CostCall[]) => calls.reduce((sum, { tokens }) => sum + tokens, 0);
const rate = (perMinute: number) => (perMinute < 10 ? perMinute.toFixed(1) : String(Math.round(perMinute)));
