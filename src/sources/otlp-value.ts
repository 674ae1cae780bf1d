export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | AttributeValue[]
  | { [key: string]: AttributeValue };
export type Attributes = Map<string, AttributeValue>;

/** Thrown and caught inside the OTLP parser only: what is wrong with one field of one span or record. */
export class FieldProblem extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

/** A JSON object, or nothing. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Record<string, unknown>;
}

/** A list that may be left out. Throws FieldProblem when something else is there. */
export function listOf(value: unknown, path: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new FieldProblem(path, `must be an array, got ${shown(value)}`);
  return value;
}

/**
 * OTLP's list of {key, value}. A later entry of the same key wins, one without a key is left out. Throws
 * FieldProblem when it is not a list.
 */
export function attributesOf(value: unknown, path: string): Attributes {
  const attributes: Attributes = new Map();
  for (const entry of listOf(value, path)) {
    const { key, value: any } = objectOf(entry) ?? {};
    if (typeof key === 'string' && key !== '') attributes.set(key, anyValueOf(any));
  }
  return attributes;
}

/** AnyValue of OTLP/JSON; an int64 is a string or a number there. What is unknown reads as null. */
export function anyValueOf(value: unknown): AttributeValue {
  const any = objectOf(value);
  if (any === undefined) return null;
  if (typeof any['stringValue'] === 'string') return storableText(any['stringValue']);
  if (typeof any['boolValue'] === 'boolean') return any['boolValue'];
  if ('intValue' in any) return numberOf(any['intValue']);
  if ('doubleValue' in any) return numberOf(any['doubleValue']);
  const array = objectOf(any['arrayValue']);
  if (array !== undefined) return Array.isArray(array['values']) ? array['values'].map(anyValueOf) : [];
  const list = objectOf(any['kvlistValue']);
  if (list !== undefined) {
    return Object.fromEntries(
      attributesOf(Array.isArray(list['values']) ? list['values'] : [], 'kvlistValue'),
    );
  }
  return typeof any['bytesValue'] === 'string' ? any['bytesValue'] : null;
}

/** Postgres stores neither NUL nor half a surrogate pair; one such text would cost the whole batch. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

function numberOf(value: unknown): AttributeValue {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  return Number(value);
}

/** The first of `names` that has a text, a number or a boolean, as text; empty text counts as absent. */
export function textAttribute(attributes: Attributes, ...names: string[]): string | null {
  for (const name of names) {
    const value = attributes.get(name);
    if (value === undefined || value === null || value === '' || typeof value === 'object') continue;
    return String(value);
  }
  return null;
}

const MAX_INT4 = 2_147_483_647;

/** The first of `names` as a whole number of things. Throws FieldProblem when it is anything else. */
export function countAttribute(attributes: Attributes, path: string, ...names: string[]): number | null {
  const name = names.find((candidate) => attributes.has(candidate));
  if (name === undefined) return null;
  const value = attributes.get(name);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_INT4) return value;
  throw new FieldProblem(
    `${path}.attributes["${name}"]`,
    `must be a whole number from 0 up, got ${shown(value)}`,
  );
}

/** The attribute as an amount from 0 up. Throws FieldProblem when it is anything else. */
export function amountAttribute(attributes: Attributes, path: string, name: string): number | null {
  const value = attributes.get(name);
  if (value === undefined) return null;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new FieldProblem(`${path}.attributes["${name}"]`, `must be a number from 0 up, got ${shown(value)}`);
}

/**
 * Nanoseconds since 1970, as a string or a number. Throws FieldProblem for anything else, 0 (unset) included.
 */
export function nanosOf(value: unknown, path: string): bigint {
  const text = typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : value;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text) || /^0+$/.test(text)) {
    throw new FieldProblem(path, `must be nanoseconds since 1970, got ${shown(value)}`);
  }
  return BigInt(text);
}

/** What calls may be sent: those that were made by now, give or take a clock, and that are still kept. */
export interface AcceptedTimes {
  now: Date;
  keptDays: number;
}

const DAY_MS = 24 * 3_600_000;

/**
 * The moment of `nanos`, to the millisecond. Policy: at most 24 hours ahead, which no clock's error explains, and not
 * older than calls are kept. Throws FieldProblem otherwise; with `accepted` null any time is taken.
 */
export function timeOfNanos(nanos: bigint, path: string, accepted: AcceptedTimes | null): Date {
  const at = new Date(Number(nanos / 1_000_000n));
  if (accepted === null) return at;
  const aheadMs = at.getTime() - accepted.now.getTime();
  if (aheadMs > DAY_MS)
    throw new FieldProblem(
      path,
      `must not be more than 24 hours in the future, got ${at.toISOString()}: set the sender's clock`,
    );
  if (-aheadMs > accepted.keptDays * DAY_MS)
    throw new FieldProblem(
      path,
      `is ${at.toISOString()}, and calls are kept for ${accepted.keptDays} days only (retention.calls_days)`,
    );
  return at;
}

/** Lower-case hex of exactly `digits` digits, not all zero. Throws FieldProblem for anything else. */
export function hexIdOf(value: unknown, digits: 16 | 32, path: string): string {
  const good =
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value) && /[^0]/.test(value);
  if (!good)
    throw new FieldProblem(path, `must be ${digits} hex digits and not all zero, got ${shown(value)}`);
  return value.toLowerCase();
}

/** A short rendering of what was sent, for a problem's text. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
