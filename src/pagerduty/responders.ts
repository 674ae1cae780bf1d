import { z } from 'zod';
import { ExternalError } from '../errors.ts';
import type { PageReceipt, PagerUser, PeopleReceipt, PeopleRequest } from '../flow/page/pager-port.ts';
import type { Client } from './client.ts';
import { openOverRest, pathOf } from './opening.ts';

const userIs = z.looseObject({ id: z.string() });
const standing = z.looseObject({
  incident: z.looseObject({
    id: z.string(),
    status: z.string(),
    assignments: z.array(z.looseObject({ assignee: userIs })).nullish(),
    incidents_responders: z
      .array(z.looseObject({ state: z.string().nullish(), message: z.string().nullish(), user: userIs }))
      .nullish(),
    resolve_reason: z
      .looseObject({ type: z.string(), incident: z.looseObject({ id: z.string() }).nullish() })
      .nullish(),
  }),
});
type Standing = z.infer<typeof standing>['incident'];

/** Merges are followed so far. */
const MOST_MERGES = 5;

/**
 * Pages exactly these people. Policy: on an open incident they are asked to respond, which rings until they answer; who
 * is on it already would not be rung again, so they get an incident of their own, as all do where none is open.
 */
export async function pagePeople(
  client: Client,
  request: PeopleRequest,
  self: PagerUser | null,
): Promise<PeopleReceipt> {
  // PagerDuty takes who assigns an incident to themselves as knowing about it, and does not ring.
  const left = request.userIds.filter((id) => id === self?.id);
  const wanted = request.userIds.filter((id) => id !== self?.id);
  if (wanted.length === 0) return { on: null, asked: [], own: null, assigned: [], left };
  const open = request.on === null ? null : await surviving(client, request.on);
  const { before, busy } = whoIsOn(open, request.message);
  const asked = wanted.filter((id) => before.has(id));
  const free = wanted.filter((id) => !before.has(id) && !busy.has(id));
  const isAsked = open !== null && (await requestResponders(client, { open, self, request, userIds: free }));
  const assigned = wanted.filter((id) => !asked.includes(id) && !(isAsked && free.includes(id)));
  const own = assigned.length === 0 ? null : await openOverRest(client, request.own, assigned);
  const allAsked = isAsked ? [...asked, ...free] : asked;
  return { on: allAsked.length === 0 ? null : (open?.id ?? null), asked: allAsked, own, assigned, left };
}

/** The incident, or the one that it was merged into; null when that is over. */
async function surviving(client: Client, id: string): Promise<Standing | null> {
  let next = id;
  for (let merges = 0; merges <= MOST_MERGES; merges += 1) {
    const found = standing.parse(await client.rest({ method: 'get', path: pathOf(next) })).incident;
    if (found.status !== 'resolved') return found;
    const into = found.resolve_reason?.type === 'merge_resolve_reason' ? found.resolve_reason.incident : null;
    if (!into) return null;
    next = into.id;
  }
  return null;
}

/** Asked for the same by an earlier, unanswered attempt; or on it already. Who declined may be asked again. */
function whoIsOn(open: Standing | null, message: string): { before: Set<string>; busy: Set<string> } {
  const responders = (open?.incidents_responders ?? []).filter(({ state }) => state !== 'declined');
  const before = responders.filter((one) => one.message === message).map((one) => one.user.id);
  const others = responders.filter((one) => one.message !== message).map((one) => one.user.id);
  const assigned = (open?.assignments ?? []).map((one) => one.assignee.id);
  return { before: new Set(before), busy: new Set([...others, ...assigned]) };
}

/** False when PagerDuty refuses it for good: not every account may ask for responders. */
async function requestResponders(
  client: Client,
  asked: { open: Standing; self: PagerUser | null; request: PeopleRequest; userIds: readonly string[] },
): Promise<boolean> {
  const { open, self, request, userIds } = asked;
  if (userIds.length === 0 || self === null) return false;
  const targets = userIds.map((id) => ({ responder_request_target: { id, type: 'user_reference' } }));
  const body = { requester_id: self.id, message: request.message, responder_request_targets: targets };
  try {
    await client.rest({ method: 'post', path: `${pathOf(open.id)}/responder_requests`, body });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    return false;
  }
}

/** Hands an incident over to these people alone. */
export async function reassign(
  client: Client,
  receipt: PageReceipt,
  userIds: readonly string[],
): Promise<void> {
  if (receipt.pagerdutyId === null) return;
  const assignments = userIds.map((id) => ({ assignee: { id, type: 'user_reference' } }));
  const body = { incident: { type: 'incident_reference', assignments } };
  await client.rest({ method: 'put', path: pathOf(receipt.pagerdutyId), body });
}
