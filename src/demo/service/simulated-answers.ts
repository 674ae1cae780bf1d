import { fromQuantiles, type Random } from '../../random.ts';

/** How well the model behaves: as GPT-4 did in March 2023, or as it did in June. */
export type Behaviour = 'march' | 'june';

/** One question with the model's answer to it. */
export interface Answer {
  number: number;
  output: string;
  outputTokens: number;
  /** Is the bracketed verdict there, and is it true? */
  formatOk: boolean;
  correct: boolean;
}

type Verdict = '[Yes]' | '[No]' | 'none';

// Shares of 1,000 recorded answers each (LLMDrift: Chen, Zaharia, Zou, "How Is ChatGPT's Behavior Changing over
// Time?"), for primes and for composites: .840 right and .996 well-formed in March, .502 and .947 in June.
const VERDICTS: Record<Behaviour, { prime: Record<Verdict, number>; composite: Record<Verdict, number> }> = {
  march: {
    prime: { '[Yes]': 0.976, '[No]': 0.018, none: 0.006 },
    composite: { '[No]': 0.704, '[Yes]': 0.294, none: 0.002 },
  },
  june: {
    prime: { '[No]': 0.888, none: 0.088, '[Yes]': 0.024 },
    composite: { '[No]': 0.98, none: 0.018, '[Yes]': 0.002 },
  },
};
const MARCH_TOKENS = [
  [0, 45],
  [0.05, 46],
  [0.1, 55],
  [0.25, 94],
  [0.5, 181],
  [0.75, 264],
  [0.9, 417],
  [0.95, 609],
  [1, 880],
] as const;
const SHORT_TRIAL_TOKENS = 15;
const SMALLEST = 1_009;
const LARGEST = 3_989;
const HARDEST_EASY_FACTOR = 28; // composites with a smaller factor would be too easy to be interesting

/** Asks for a number of four or five digits, odd and half the time prime, and answers as the behaviour would. */
export function answer(random: Random, behaviour: Behaviour): Answer {
  const number = pickNumber(random, random.chance(0.5));
  return answerAbout(number, { random, behaviour });
}

/** The same about a number that somebody else chose. */
export function answerAbout(
  number: number,
  { random, behaviour }: { random: Random; behaviour: Behaviour },
): Answer {
  const prime = smallestFactor(number) === number;
  const verdict = pickVerdict(random, VERDICTS[behaviour][prime ? 'prime' : 'composite']);
  const output =
    behaviour === 'june'
      ? terse(verdict)
      : worked({ number, verdict, tokens: fromQuantiles(random, MARCH_TOKENS) });
  return {
    number,
    output,
    outputTokens: countTokens(output),
    formatOk: verdict !== 'none',
    correct: verdict === (prime ? '[Yes]' : '[No]'),
  };
}

/** About how many tokens a text has: digits go in threes, words and signs one by one. */
export function countTokens(text: string): number {
  return text.match(/\d{1,3}|[A-Za-z]+|[^\sA-Za-z\d]/g)?.length ?? 0;
}

/** The smallest prime factor; the number itself when it is prime. */
export function smallestFactor(number: number): number {
  for (let candidate = 2; candidate * candidate <= number; candidate++) {
    if (number % candidate === 0) return candidate;
  }
  return number;
}

function pickNumber(random: Random, prime: boolean): number {
  for (;;) {
    const number = SMALLEST + 2 * random.below((LARGEST - SMALLEST) / 2);
    const factor = smallestFactor(number);
    if (prime ? factor === number : factor !== number && factor > HARDEST_EASY_FACTOR) return number;
  }
}

function pickVerdict(random: Random, shares: Record<Verdict, number>): Verdict {
  let left = random.next();
  for (const [verdict, share] of Object.entries(shares)) {
    if (left < share) return verdict as Verdict;
    left -= share;
  }
  return Object.keys(shares)[0] as Verdict;
}

function terse(verdict: Verdict): string {
  return verdict === 'none' ? 'No' : verdict;
}

// The text argues for the verdict it ends in, so a wrong one has a slip in it, as recorded answers do.
function worked(asked: { number: number; verdict: Verdict; tokens: number }): string {
  const { number, verdict, tokens } = asked;
  const factor = smallestFactor(number);
  const claim = verdict === '[No]' ? factorClaimed(number, factor) : undefined;
  const end = conclusion(number, verdict, claim);
  const start = opening(number);
  const lines: string[] = [start];
  let used = countTokens(start) + countTokens(end);
  const divisors = primesBelow(claim ?? Math.sqrt(number)).filter((divisor) => divisor !== factor);
  const wordy = tokens - used > divisors.length * SHORT_TRIAL_TOKENS;
  for (const divisor of divisors) {
    if (used >= tokens) break;
    const line = trial({ number, divisor, wordy });
    lines.push(line);
    used += countTokens(line);
  }
  return [...lines, end].join('\n');
}

function primesBelow(limit: number): number[] {
  const odd = Array.from({ length: Math.ceil(limit / 2) }, (_, index) => 2 * index + 3);
  return odd.filter((candidate) => candidate < limit && smallestFactor(candidate) === candidate);
}

function opening(number: number): string {
  return (
    `Let me look for a divisor of ${number}. It is odd, and I need to try primes up to its square root, about ` +
    `${Math.floor(Math.sqrt(number))}.`
  );
}

function trial(step: { number: number; divisor: number; wordy: boolean }): string {
  const { number, divisor } = step;
  const [times, rest] = [Math.floor(number / divisor), number % divisor];
  if (!step.wordy) return `${divisor}: ${number} = ${divisor} × ${times} + ${rest}.`;
  return (
    `Next I try ${divisor}. ${divisor} goes into ${number} ${times} times, which makes ${divisor * times}, and ` +
    `that leaves ${rest}, so ${divisor} is not a divisor.`
  );
}

function factorClaimed(number: number, factor: number): number {
  return factor === number ? 31 : factor;
}

function conclusion(number: number, verdict: Verdict, claim: number | undefined): string {
  if (verdict === '[Yes]') return `No prime up to the square root divides ${number}.\n[Yes]`;
  if (verdict === 'none') return `So I would say that ${number} is most likely a prime number.`;
  return `${claim} divides ${number}, so it has a divisor other than 1 and itself.\n[No]`;
}
