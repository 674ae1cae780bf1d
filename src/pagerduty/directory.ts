import { z } from 'zod';
import { ExternalError } from '../errors.ts';
import type { OnCallPerson, PagerUser } from '../flow/page/pager-port.ts';
import type { Client } from './client.ts';

const user = z.looseObject({
  id: z.string(),
  summary: z.string().nullish(),
  name: z.string().nullish(),
  email: z.string().nullish(),
});
const oneUser = z.looseObject({ user });
const onCallRow = z.looseObject({
  user,
  escalation_level: z.number(),
  escalation_policy: z.looseObject({ id: z.string() }),
  start: z.string().nullish(),
  end: z.string().nullish(),
});
const priority = z.looseObject({ id: z.string(), name: z.string().nullish() });

const PAGE = 100;
/** PagerDuty pages no further than this. */
const MOST_ROWS = 10_000;

/**
 * Who is on call now by the policy, each person once a level. Policy: the rows are filtered again by policy and time,
 * because a filter that PagerDuty ignores returns everyone on call in the account.
 */
export async function onCallOf(client: Client, policyId: string): Promise<OnCallPerson[]> {
  if (!/^[A-Z0-9]+$/i.test(policyId)) throw wrong(`"${policyId}" is no id of an escalation policy`);
  const query = { 'escalation_policy_ids[]': [policyId], 'include[]': ['users'] };
  const rows = await allOf(client, { path: '/oncalls', key: 'oncalls', row: onCallRow, query });
  const now = Date.now();
  const people = rows
    .filter((row) => row.escalation_policy.id === policyId && isNow(row, now))
    .map((row) => ({ ...shown(row.user), level: row.escalation_level }));
  const byLevel = new Map(people.map((person) => [`${person.level} ${person.id}`, person]));
  return [...byLevel.values()].sort((a, b) => a.level - b.level);
}

/** No start and no end: always on call. */
function isNow({ start, end }: z.infer<typeof onCallRow>, nowMs: number): boolean {
  const hasBegun = !start || Date.parse(start) <= nowMs;
  return hasBegun && (!end || nowMs < Date.parse(end));
}

export async function findUser(client: Client, id: string): Promise<PagerUser | null> {
  const path = `/users/${encodeURIComponent(id)}`;
  try {
    return shown(oneUser.parse(await client.rest({ method: 'get', path })).user);
  } catch (thrown) {
    if (thrown instanceof ExternalError && (thrown.code === '2100' || thrown.code === '404')) return null;
    throw thrown;
  }
}

/** By exactly the same address: PagerDuty's own search finds whatever resembles it. */
export async function findUserByEmail(client: Client, email: string): Promise<PagerUser | null> {
  const query = { query: email };
  const rows = await allOf(client, { path: '/users', key: 'users', row: user, query });
  const found = rows.find((row) => row.email?.toLowerCase() === email.toLowerCase());
  return found === undefined ? null : shown(found);
}

/** The id of the account's priority with that name; null when it has none, or no priorities at all. */
export async function priorityIdOf(client: Client, name: string): Promise<string | null> {
  const rows = await allOf(client, { path: '/priorities', key: 'priorities', row: priority, query: {} });
  return rows.find((row) => row.name?.toLowerCase() === name.toLowerCase())?.id ?? null;
}

function shown(found: z.infer<typeof user>): PagerUser {
  return { id: found.id, name: found.name ?? found.summary ?? 'unnamed', email: found.email ?? null };
}

/** Every row of a listing, page by page. */
async function allOf<T extends z.ZodType>(
  client: Client,
  asked: { path: string; key: string; row: T; query: Record<string, string | string[]> },
): Promise<z.infer<T>[]> {
  const listing = z.looseObject({ [asked.key]: z.array(asked.row), more: z.boolean().nullish() });
  const rows: z.infer<T>[] = [];
  for (let offset = 0; offset < MOST_ROWS; offset += PAGE) {
    const query = { ...asked.query, limit: String(PAGE), offset: String(offset) };
    const answer = listing.parse(await client.rest({ method: 'get', path: asked.path, query }));
    rows.push(...(answer[asked.key] as z.infer<T>[]));
    if (answer.more !== true) return rows;
  }
  throw wrong(`${asked.path}: more than ${MOST_ROWS} rows`);
}

function wrong(problem: string): ExternalError {
  return new ExternalError(problem, { service: 'PagerDuty', retryable: false });
}
