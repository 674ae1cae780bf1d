import { ExternalError } from '../../errors.ts';
import { type Approved, approvedBy } from '../../mitigation/approval.ts';
import { type Mitigation, moveMitigation, votesOn } from '../../mitigation/mitigation-store.ts';
import { AUTOMATION, parsePlan } from '../../mitigation/plan.ts';
import type { Flow } from '../flow.ts';
import { automaticElectorate } from './approve-by-itself.ts';
import { readElectorate } from './approvers.ts';

/**
 * The approval of a run that is about to begin; null when the votes do not approve it. Policy: who may is read once more
 * before the first request leaves, and votes of people who were removed since do not count; where that cannot be read,
 * the run waits for it. What has begun is finished on the reading at its beginning.
 */
export async function confirmApproval(
  flow: Flow,
  mitigation: Mitigation,
  { mayWait }: { mayWait: boolean },
): Promise<Approved | null> {
  const votes = await votesOn(flow.db, mitigation.id);
  const voters = votes.map(({ voter }) => voter);
  const { standing } = parsePlan(mitigation.plan);
  if (mitigation.confirmed_at !== null) {
    const kept = { mayApprove: voters, mayBreakGlass: voters, standing: standing === null ? [] : [standing] };
    return approvedBy(mitigation, votes, kept);
  }
  const alone = votes.some(({ choice }) => choice === 'break-glass');
  const isByItself = voters.length > 0 && voters.every((voter) => voter === AUTOMATION);
  const { unread, ...electorate } = isByItself
    ? { ...automaticElectorate(flow, mitigation), unread: [] }
    : await readElectorate(flow, mitigation, { voters, alone });
  const approved = approvedBy(mitigation, votes, electorate);
  if (approved === null && unread.length > 0 && mayWait)
    throw new ExternalError(`who may approve could not be read (${unread.join(', ')})`, {
      service: 'Slack or PagerDuty',
      retryable: true,
    });
  const set = { confirmed_at: flow.clock.now() };
  if (approved !== null)
    await moveMitigation(flow.db, { id: mitigation.id, from: ['running'], to: 'running', set });
  return approved;
}
