import { ExternalError, messageOf } from '../../errors.ts';
import { keepEmail, knownEmail } from '../../incident/people-page-store.ts';
import type { Flow } from '../flow.ts';
import type { OnCallPerson, PagerUser } from './pager-port.ts';

type Looking = Pick<Flow, 'config' | 'chat' | 'pager' | 'log'>;

export interface OnCallQuestion {
  escalation_policy: string;
  /** Escalation levels, 1 being the first; only the first where none is named. */
  levels?: readonly number[] | undefined;
  /** The service whose own PagerDuty access is used, where it has one. */
  service?: string | null;
}

/**
 * Who is on call now by a policy and its levels, as Slack user ids; people without one are left out. Policy: in any
 * doubt (no PagerDuty, an answer that cannot be had or read) nobody is, because this says who may approve. What is said
 * in Slack alone waits for Slack (`waitsForSlack`): then its ExternalError is thrown while it may still answer.
 */
export async function onCallPeople(
  flow: Looking,
  question: OnCallQuestion,
  { waitsForSlack = false } = {},
): Promise<string[]> {
  try {
    const found = await pagersOnCall(flow, question);
    const ids = await Promise.all(found.map((person) => slackIdOf(flow, person)));
    return [...new Set(ids.filter((id) => id !== null))];
  } catch (thrown) {
    const { escalation_policy: policy } = question;
    const mayAnswer = thrown instanceof ExternalError && thrown.service === 'Slack' && thrown.retryable;
    if (waitsForSlack && mayAnswer) throw thrown;
    flow.log.warn({ policy, error: messageOf(thrown) }, 'who is on call could not be told');
    return [];
  }
}

/** The same as PagerDuty knows them. Throws ExternalError when it cannot be asked. */
export async function pagersOnCall(
  flow: Pick<Flow, 'pager'>,
  { escalation_policy: policy, levels = [1], service = null }: OnCallQuestion,
): Promise<OnCallPerson[]> {
  const pager = flow.pager?.of(service);
  if (pager === undefined || !pager.canAsk) return [];
  const rows = await pager.onCall(policy);
  return rows.filter(({ level }) => levels.includes(level));
}

/** Policy: by the table in the configuration, else by exactly the same e-mail address; never by a name. */
export async function slackIdOf(
  flow: Pick<Flow, 'config' | 'chat'>,
  user: Pick<PagerUser, 'id' | 'email'>,
): Promise<string | null> {
  const named = flow.config.people[user.id];
  if (named !== undefined) return named;
  return user.email === null ? null : flow.chat.userByEmail(user.email);
}

/** The PagerDuty user of somebody in Slack, by the same rule; null when there is none. Throws ExternalError. */
export async function pagerUserOf(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'pager'>,
  { slackId, service }: { slackId: string; service: string | null },
): Promise<string | null> {
  const named = Object.entries(flow.config.people).find(([, slack]) => slack === slackId);
  if (named !== undefined) return named[0];
  if (flow.pager === null) return null;
  const email = await emailOf(flow, slackId);
  return email === null ? null : ((await flow.pager.of(service).userByEmail(email))?.id ?? null);
}

/** Policy: a page does not wait for Slack: while it is away, the address is the one that it last gave. */
async function emailOf(flow: Pick<Flow, 'db' | 'clock' | 'chat'>, slackId: string): Promise<string | null> {
  try {
    const email = await flow.chat.emailOf(slackId);
    if (email !== null) await keepEmail(flow.db, { slackId, email, at: flow.clock.now() });
    return email;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    if (thrown.code === 'user_not_found') return null;
    const kept = await knownEmail(flow.db, slackId);
    if (kept === null) throw thrown;
    return kept;
  }
}
