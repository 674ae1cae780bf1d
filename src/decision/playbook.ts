import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Category } from '../db/schema.ts';
import { InputError } from '../errors.ts';

/** What the bot can look up for a step; `none` is for questions that only people can answer. */
export const LOOKS_AT = [
  'last-prompt-change',
  'served-model',
  'context-length',
  'error-codes',
  'rate-limits',
  'schema-errors',
  'api-changelog',
  'last-index-update',
  'index-age',
  'source-dates',
  'provider-status',
  'retrieved-chunks',
  'refusals-by-prompt',
  'affected-prompts',
  'topic-coverage',
  'injection',
  'loop',
  'load',
  'safety-events',
  'exposed-users',
  'none',
] as const;

/** What can point to a symptom. */
export const EVIDENCE_KEYS = [
  'prompt-changed',
  'model-changed',
  'score-fell',
  'format-fell',
  'context-grew',
  'errors',
  'refusals',
  'latency',
  'index-stale',
  'index-changed',
  'retrieval-fell',
  'topics',
  'cost-rose',
  'safety',
] as const;

/** What a leaf prepares: a plan from what the evidence names, to be proposed with one click. */
export const LEAF_ACTIONS = [
  'propose',
  'contain',
  'previous-prompt',
  'previous-model',
  'limit-offender',
  'cap-tokens',
  'simple-answers',
  'disclaimer',
] as const;

export const ANSWERS = ['yes', 'no', 'unknown'] as const;

const CATEGORIES = ['outage', 'quality', 'cost', 'safety'] as const satisfies readonly Category[];
const SHIPPED = join(import.meta.dirname, 'playbook.yaml');

// Ids travel in buttons, as "incident:symptom:step", so they hold no colon and stay short.
const id = z
  .string()
  .max(60)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens');
const sentence = (max: number) => z.string().trim().min(1).max(max);
const target = z.union([id, z.strictObject({ leaf: id })], {
  error: 'must be the id of a step, or {leaf: ID}',
});

const step = z.strictObject({
  id,
  instruction: sentence(300),
  looks_at: z.enum(LOOKS_AT),
  yes: target,
  no: target,
  unknown: target,
});

const symptom = z.strictObject({
  id,
  symptom: sentence(75),
  likely_cause: sentence(300),
  categories: z.array(z.enum(CATEGORIES)).default([]),
  suggested_by: z.array(z.enum(EVIDENCE_KEYS)).default([]),
  steps: z.array(step).min(1).max(20),
});

const leaf = z.strictObject({ advice: sentence(600), action: z.enum(LEAF_ACTIONS).nullable() });

const playbookShape = z.strictObject({
  version: z.literal(1),
  /** The team's own name for this edition; the path that was walked keeps it, with a digest of the text. */
  edition: z.string().trim().min(1).max(40).optional(),
  symptoms: z.array(symptom).min(1).max(20),
  leaves: z.record(id, leaf),
});

/** A tree that can be walked; `edition` names it and its text: "shipped 2 (1f3a9c02)". */
export type Playbook = Omit<z.infer<typeof playbookShape>, 'edition'> & { edition: string };
export type Symptom = z.infer<typeof symptom>;
export type Step = z.infer<typeof step>;
export type Leaf = z.infer<typeof leaf>;
export type LooksAt = (typeof LOOKS_AT)[number];
export type EvidenceKey = (typeof EVIDENCE_KEYS)[number];
export type Answer = (typeof ANSWERS)[number];
export type LeafAction = (typeof LEAF_ACTIONS)[number];

/** The tree that ships with the bot, or the team's own `file`. */
export function loadPlaybook(file: string = SHIPPED): Playbook {
  return parsePlaybook(readFileSync(file, 'utf8'));
}

/** Reads the YAML text; throws InputError with every problem and its path. Its result can be walked. */
export function parsePlaybook(text: string): Playbook {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new InputError(document.errors.map((error) => `playbook: not valid YAML: ${error.message}`));
  }
  const parsed = playbookShape.safeParse(document.toJS());
  if (!parsed.success) {
    throw new InputError(parsed.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`));
  }
  const problems = structureProblems(parsed.data);
  if (problems.length > 0) throw new InputError(problems);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return { ...parsed.data, edition: `${parsed.data.edition ?? 'unnamed'} (${digest})` };
}

function pathOf(path: readonly PropertyKey[]): string {
  const joined = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return joined.replace(/^\./, '') || 'playbook';
}

// Every answer leads to a known step or leaf, every step and leaf can be reached, and no walk is a circle.
function structureProblems(playbook: z.infer<typeof playbookShape>): string[] {
  const used = new Set<string>();
  const problems = repeated(playbook.symptoms).map((at) => `symptoms[${at}].id: is used twice`);
  for (const [index, each] of playbook.symptoms.entries()) {
    const at = `symptoms[${index}]`;
    problems.push(...repeated(each.steps).map((which) => `${at}.steps[${which}].id: is used twice`));
    problems.push(...targetProblems(each, { at, leaves: playbook.leaves, used }));
    problems.push(...walkProblems(each, at));
  }
  const unused = Object.keys(playbook.leaves).filter((name) => !used.has(name));
  return [...problems, ...unused.map((name) => `leaves.${name}: no step leads here`)];
}

function repeated(items: readonly { id: string }[]): number[] {
  const ids = items.map((item) => item.id);
  return ids.flatMap((each, index) => (ids.indexOf(each) < index ? [index] : []));
}

function targetProblems(
  within: Symptom,
  context: { at: string; leaves: Playbook['leaves']; used: Set<string> },
): string[] {
  const known = new Set(within.steps.map((each) => each.id));
  return eachTarget(within, context.at).flatMap(({ path, to }) => {
    if (typeof to === 'string') return known.has(to) ? [] : [`${path}: no step "${to}" in "${within.id}"`];
    context.used.add(to.leaf);
    return Object.hasOwn(context.leaves, to.leaf) ? [] : [`${path}: no leaf "${to.leaf}"`];
  });
}

function eachTarget(within: Symptom, at: string): { path: string; to: Step['yes'] }[] {
  return within.steps.flatMap((each, index) =>
    ANSWERS.map((answer) => ({ path: `${at}.steps[${index}].${answer}`, to: each[answer] })),
  );
}

/** Walks every way from the first step, depth first: what is met again on the way is a cycle. */
function walkProblems(within: Symptom, at: string): string[] {
  const indexOf = new Map(within.steps.map((each, index) => [each.id, index] as const).toReversed());
  const problems: string[] = [];
  const state = new Map<number, 'on-the-way' | 'done'>();
  const visit = (index: number) => {
    state.set(index, 'on-the-way');
    for (const answer of ANSWERS) {
      const to = within.steps[index]?.[answer];
      const next = typeof to === 'string' ? indexOf.get(to) : undefined;
      if (next === undefined) continue;
      if (state.get(next) === 'on-the-way') {
        problems.push(
          `${at}.steps[${index}].${answer}: goes back to "${String(to)}", so a walk might never end`,
        );
      } else if (state.get(next) === undefined) visit(next);
    }
    state.set(index, 'done');
  };
  visit(0);
  const unseen = within.steps.flatMap((_, index) => (state.has(index) ? [] : [index]));
  return [...problems, ...unseen.map((index) => `${at}.steps[${index}]: no answer leads here`)];
}
