import type { Account } from './pagerduty-account.ts';

/** A person with the PagerDuty app on their phone. */
export interface PagerDutyPerson {
  acknowledge(incidentId: string): void;
  resolve(incidentId: string): void;
  note(incidentId: string, content: string): void;
  /** Hands it to these users. */
  reassign(incidentId: string, ...userIds: string[]): void;
  escalate(incidentId: string, level: number): void;
  prioritise(incidentId: string, priority: string): void;
  merge(sourceId: string, intoId: string): void;
  /** Answers a request to respond. */
  answer(incidentId: string, state: 'joined' | 'declined'): void;
}

export function personIn(account: Account, userId: string): PagerDutyPerson {
  const user = account.users.find((one) => one.id === userId);
  if (!user)
    throw new Error(
      `no PagerDuty user "${userId}"; there are ${account.users.map((one) => one.id).join(', ')}`,
    );
  const change = (id: string, what: Parameters<Account['change']>[1]) =>
    void account.change(account.find(id), what, user);
  return {
    acknowledge: (id) => change(id, { status: 'acknowledged' }),
    resolve: (id) => change(id, { status: 'resolved' }),
    note: (id, content) => void account.annotate(account.find(id), content, user),
    reassign: (id, ...userIds) =>
      change(id, {
        assignments: userIds.map((one) => ({ assignee: { id: one, type: 'user_reference' } })),
      }),
    escalate: (id, level) => change(id, { escalation_level: level }),
    prioritise: (id, priority) => change(id, { priority }),
    merge: (source, into) => void account.merge(account.find(into), [source], user),
    answer: (id, state) => account.answer(account.find(id), state, user),
  };
}
