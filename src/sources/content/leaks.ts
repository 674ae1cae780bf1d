import { RE2JS } from 're2js';
import type { SafetyConfig } from '../../config/content.ts';
import { redactExcept, type SensitiveValue } from '../../redaction.ts';
import type { CallTexts } from './inspect.ts';
import { policyCheck } from './policy.ts';

/** Something that must not reach a user. It says what kind and how often, never the text itself. */
export interface Leak {
  rule: 'safety.pii' | 'safety.policy';
  /** `email`, `phone`, `card`, `iban`, `id`, `key`; `self-harm`, `dangerous-advice`, `configured`. */
  kind: string;
  /** For people: "email × 2". */
  detail: string;
}

export interface LeakFindings {
  leaks: Leak[];
  /** The output without what leaked. */
  redacted(): string;
}

export interface LeakFinder {
  personal(texts: CallTexts): LeakFindings;
  policy(texts: CallTexts): LeakFindings;
}

/** So many different values are looked for in the input; the time stays in proportion to the texts. */
const LOOKED_UP_AT_MOST = 200;
const SHORTEST_PART = 7;

/** Compiles what a service's configuration allows and forbids. Throws InputError for a policy word without a word. */
export function leakFinder(safety: SafetyConfig, path?: string): LeakFinder {
  const isAllowed = allowance(safety.allow);
  const kinds = new Set<string>(safety.pii);
  const findPolicy = policyCheck(safety, path);
  return {
    personal({ input, output }) {
      const isTyped = typedIn(input ?? '');
      const isKept = withParts((found) => !kinds.has(found.kind) || isAllowed(found) || isTyped(found));
      const { text, found } = redactExcept(output ?? '', isKept);
      const counts = new Map<string, number>();
      for (const { kind } of found) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return { leaks: leaksFrom('safety.pii', counts), redacted: () => text };
    },
    policy({ output }) {
      const { counts, redacted } = findPolicy(output ?? '');
      return { leaks: leaksFrom('safety.policy', counts), redacted };
    },
  };
}

const finders = new WeakMap<SafetyConfig, LeakFinder>();

/**
 * Policy: personal data and credentials of the configured kinds are leaks, unless the user typed them or the
 * configuration allows them; so are policy words. Linear in the length of the texts.
 */
export function leaksOf(texts: CallTexts, safety: SafetyConfig): Leak[] {
  const finder = finders.get(safety) ?? leakFinder(safety);
  finders.set(safety, finder);
  return [...finder.personal(texts).leaks, ...finder.policy(texts).leaks];
}

function leaksFrom(rule: Leak['rule'], counts: ReadonlyMap<string, number>): Leak[] {
  return [...counts].map(([kind, n]) => ({ rule, kind, detail: `${kind} × ${n}` }));
}

/** Letters and digits alone: "+1 (415) 555-2671" and "14155552671" are the same number. */
function squashed(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

function allowance(allow: readonly string[]): (found: SensitiveValue) => boolean {
  const patterns = allow
    .filter((entry) => entry.includes('*'))
    .flatMap((entry) => [glob(entry), glob(entry, squashed)]);
  const literals = allow.filter((entry) => !entry.includes('*')).map(squashed);
  return ({ value }) => {
    const bare = squashed(value);
    const isPartOf = (literal: string) => bare.length >= SHORTEST_PART && literal.includes(bare);
    if (literals.some((literal) => literal === bare || isPartOf(literal))) return true;
    return patterns.some((pattern) => pattern.testExact(value.toLowerCase()) || pattern.testExact(bare));
  };
}

function glob(entry: string, form = (part: string) => part.toLowerCase()): RE2JS {
  return RE2JS.compile(
    entry
      .split('*')
      .map((part) => RE2JS.quote(form(part)))
      .join('.*'),
    RE2JS.DOTALL,
  );
}

/** What is part of a value that may stay may stay: a number without the country code that it was allowed with. */
function withParts(isKept: (found: SensitiveValue) => boolean): (found: SensitiveValue) => boolean {
  const kept = new Set<string>();
  return (found) => {
    const bare = squashed(found.value);
    if (isKept(found)) {
      if (kept.size < LOOKED_UP_AT_MOST) kept.add(bare);
      return true;
    }
    return bare.length >= SHORTEST_PART && [...kept].some((whole) => whole.includes(bare));
  };
}

function typedIn(input: string): (found: SensitiveValue) => boolean {
  const answers = new Map<string, boolean>();
  let typed: string | null = null;
  return ({ value }) => {
    const bare = squashed(value);
    const known = answers.get(bare);
    if (known !== undefined) return known;
    if (input === '' || bare === '' || answers.size >= LOOKED_UP_AT_MOST) return false;
    typed ??= squashed(input);
    const isTyped = typed.includes(bare);
    answers.set(bare, isTyped);
    return isTyped;
  };
}
