import type { z } from 'zod';
import type { Account } from './pagerduty-account.ts';
import { PagerDutyRefusal, type PagerDutyUser } from './pagerduty-shapes.ts';

/** One REST request, taken apart. */
export interface RestRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  from: string | undefined;
  body: unknown;
}

/** Status and body of the answer. */
export interface RestAnswer {
  status: number;
  body: unknown;
}

/** What a route works with. */
export interface Context {
  account: Account;
  request: RestRequest;
  /** The id in the path. */
  id: string;
  /** The user named by From; throws PagerDuty's 400 when there is none. */
  by(): PagerDutyUser;
}

/** One operation; a query parameter that is not named here is refused. */
export interface Route {
  method: string;
  path: RegExp;
  query?: readonly string[];
  run(context: Context): RestAnswer;
}

const ID = '([A-Za-z0-9]+)';

/** Matches a path in which `{id}` stands for a PagerDuty id. */
export function at(path: string): RegExp {
  return new RegExp(`^${path.replace('{id}', ID)}$`);
}

/** The body as the schema wants it, or PagerDuty's 400 that names each problem. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new PagerDutyRefusal(400, 2001, errors);
}

/** The item with that id, or PagerDuty's 404. */
export function known<T extends { id: string }>(items: readonly T[], id: string): T {
  const found = items.find((one) => one.id === id);
  if (!found) throw new PagerDutyRefusal(404, 2100);
  return found;
}

/** One page of a listing by `limit` and `offset`. */
export function page(key: string, items: unknown[], request: RestRequest): RestAnswer {
  const number = (name: string, fallback: number): number => {
    const given = request.query.get(name);
    const value = given === null ? fallback : Number(given);
    if (Number.isInteger(value) && value >= 0 && (name !== 'limit' || (value >= 1 && value <= 100)))
      return value;
    throw new PagerDutyRefusal(400, 2001, [`${name} is out of range`]);
  };
  const [limit, offset] = [number('limit', 25), number('offset', 0)];
  const more = offset + limit < items.length;
  return {
    status: 200,
    body: { [key]: items.slice(offset, offset + limit), limit, offset, more, total: null },
  };
}
