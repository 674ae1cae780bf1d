import { z } from 'zod';

const KINDS = ['prompt', 'model', 'flag', 'index', 'deploy'] as const;
export type ReportedKind = (typeof KINDS)[number];

/** A change of what a service serves, as somebody told it. */
export interface ReportedChange {
  service: string;
  environment: string;
  kind: ReportedKind;
  /** Of the prompt, flag or index; null for the only one. */
  name: string | null;
  from: string | null;
  to: string;
  /** Null: now. */
  at: Date | null;
  by: string | null;
  /** Who tells, such as "ci"; null where it was not said. */
  source: string | null;
  /** The sender's own: the same again is the same change. */
  id: string | null;
}

const LONGEST_CHARS = 200;
const MOST_CHANGES = 500;
const CLOCKS_APART_MS = 5 * 60_000;
/** Nothing that calls a model was served before. */
const EARLIEST = new Date('2000-01-01T00:00:00Z');

const text = z
  .string({ error: wrong('must be a text') })
  .trim()
  .min(1, 'must not be empty')
  .max(LONGEST_CHARS, `must be at most ${LONGEST_CHARS} characters`)
  .refine((value) => !/\p{Cc}/u.test(value), 'must be one line, without control characters')
  .refine((value) => value.isWellFormed(), 'must be well-formed Unicode, without half of a surrogate pair');
const optional = text.nullish().transform((value) => value ?? null);
const value = z.preprocess(
  (given) => (typeof given === 'number' || typeof given === 'boolean' ? String(given) : given),
  text,
);

const change = (now: Date, environment: string) =>
  z.object({
    service: text,
    environment: text.nullish().transform((given) => given ?? environment),
    kind: z.enum(KINDS, { error: wrong(`must be one of ${KINDS.join(', ')}`) }),
    name: optional,
    from: value.nullish().transform((given) => given ?? null),
    to: value,
    at: timeUpTo(now),
    by: optional,
    source: optional,
    id: optional,
  });

function timeUpTo(now: Date) {
  return z.iso
    .datetime({
      offset: true,
      error: wrong('must be a time such as 2026-01-05T10:00:00Z; leave it out for now'),
    })
    .nullish()
    .transform((given) => (given == null ? null : new Date(given)))
    .refine((at) => at === null || at.getTime() <= now.getTime() + CLOCKS_APART_MS, {
      error: `is in the future (it is ${now.toISOString()} here); send the time of the change, or leave it out`,
    })
    .refine((at) => at === null || at >= EARLIEST, {
      error: `is before ${EARLIEST.getUTCFullYear()}; send the time of the change, or leave it out`,
    });
}

function wrong(problem: string) {
  return (issue: { input?: unknown }) => (issue.input === undefined ? `is missing: ${problem}` : problem);
}

export type ReadChanges =
  | { kind: 'changes'; changes: ReportedChange[] }
  /** Each names the field and the cure. */
  | { kind: 'malformed'; problems: string[] };

/** The body of `POST /v1/changes`, one change or a list of them: all of it is right, or nothing is taken. */
export function readChanges(
  body: unknown,
  { now, environment }: { now: Date; environment: string },
): ReadChanges {
  const isList = Array.isArray(body);
  const given: unknown[] = isList ? body : [body];
  if (given.length === 0 || given.length > MOST_CHANGES)
    return { kind: 'malformed', problems: [`body: must hold from 1 to ${MOST_CHANGES} changes`] };
  const shape = change(now, environment);
  const problems: string[] = [];
  const changes = given.flatMap((one, index): ReportedChange[] => {
    const path = isList ? `[${index}]` : '';
    if (typeof one !== 'object' || one === null || Array.isArray(one)) {
      problems.push(`${path || 'body'}: must be an object such as {"service", "kind", "to"}`);
      return [];
    }
    const parsed = shape.safeParse(one);
    if (parsed.success) return [parsed.data];
    const where = (issue: z.core.$ZodIssue) => [path, ...issue.path].filter((part) => part !== '').join('.');
    problems.push(...parsed.error.issues.map((issue) => `${where(issue)}: ${issue.message}`));
    return [];
  });
  return problems.length === 0 ? { kind: 'changes', changes } : { kind: 'malformed', problems };
}
