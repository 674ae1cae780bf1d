import type { Row } from '../../db/schema.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { approversOn } from '../../mitigation/approval.ts';
import { neededFor } from '../../mitigation/approval-class.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import type { Flow } from '../flow.ts';
import type { ProposalView } from '../ports.ts';
import { approverIds, electorateOf, type ReadElectorate, standingNow } from './approvers.ts';

type Deciders = Pick<
  ProposalView,
  'approvers' | 'onCall' | 'obstacle' | 'mayBreakGlass' | 'approvals' | 'standing' | 'votes'
>;

type Asking = Pick<Flow, 'db' | 'config' | 'chat' | 'log' | 'pager' | 'targetFor'>;

/** Who decides on a proposal, as it is shown: read now while it is open, as it was decided after that. */
export async function decidersOf(
  flow: Asking,
  mitigation: Mitigation,
  votes: readonly Row<'vote'>[],
): Promise<Deciders> {
  const plan = parsePlan(mitigation.plan);
  const cast = votes.map(({ voter, choice, reason }) => ({ voter, choice, reason }));
  const standing = standingNow(flow, mitigation);
  const needed = neededFor(plan, standing);
  const shown = { standing: needed.standing, votes: cast };
  if (mitigation.status !== 'proposed') {
    const mayApprove = votes.map(({ voter }) => voter);
    const have = approversOn(mitigation, votes, { needed, mayApprove }).length;
    const approvals = { have, needed: needed.people };
    return { ...shown, approvals, approvers: [], onCall: [], obstacle: null, mayBreakGlass: false };
  }
  const incident =
    mitigation.incident_id === null ? undefined : await findIncident(flow.db, mitigation.incident_id);
  const electorate = await electorateOf(flow, mitigation, { incident, alone: false });
  const approved = approversOn(mitigation, votes, { needed, mayApprove: electorate.mayApprove });
  const isOut = (id: string) =>
    approved.includes(id) || (needed.standing === null && id === mitigation.proposed_by);
  const isNever = electorate.mayBreakGlass === null;
  const missing = needed.people - approved.length;
  return {
    ...shown,
    approvals: { have: approved.length, needed: needed.people },
    approvers: shownIds(flow, mitigation, electorate).filter((id) => !isOut(id)),
    onCall: electorate.onCall.filter((id) => !isOut(id)),
    obstacle:
      needed.standing === null
        ? obstacleTo({
            id: mitigation.id,
            left: electorate.mayApprove.filter((id) => !isOut(id)).length,
            missing,
            isNever,
          })
        : null,
    mayBreakGlass: needed.standing === null && !isNever,
  };
}

/** The configured ids, groups as groups, and the engineering lead where that counts as well. */
function shownIds(flow: Asking, { service }: Mitigation, { mayApprove, leads }: ReadElectorate): string[] {
  const ids = approverIds(flow, service).filter((id) => id.startsWith('S') || mayApprove.includes(id));
  return [...new Set([...ids, ...leads])];
}

/** Said at once, so that nobody waits for an approval that cannot come. */
function obstacleTo(seen: { id: number; left: number; missing: number; isNever: boolean }): string | null {
  const { id, left, missing, isNever } = seen;
  if (left >= missing) return null;
  const few =
    left === 0 ? 'nobody else may approve it' : `only ${left} more may approve it and ${missing} must`;
  const cure = isNever
    ? 'Name more approvers or an engineering lead in the configuration: nobody sets this back on alone.'
    : `Break-glass runs it on one person’s word: the button, or \`/llm-incident mitigate break-glass ${id} REASON\`.`;
  return `As things are, ${few}. ${cure}`;
}
