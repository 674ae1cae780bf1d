import type { Tx } from '../../db/database.ts';
import { ExternalError } from '../../errors.ts';
import { digestOf } from '../../evidence/digest.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { approvedBy, type Electorate, judgeVote, type VoteOutcome } from '../../mitigation/approval.ts';
import { audit } from '../../mitigation/audit-store.ts';
import {
  findMitigation,
  insertVote,
  lockMitigation,
  type Mitigation,
  votesOn,
} from '../../mitigation/mitigation-store.ts';
import { changedSince, type Plan, parsePlan, staleNote } from '../../mitigation/plan.ts';
import { premisesOf } from '../../mitigation/shift.ts';
import type { Flow } from '../flow.ts';
import { electorateOf, isTerminal } from './approvers.ts';
import type { Ballot, Vote } from './ballot.ts';
import { calledFor } from './break-glass-notice.ts';
import { proposeAgain } from './propose.ts';
import { describeGap, releaseGap } from './safety-release.ts';
import {
  keepRejectionReason,
  settleApproval,
  settleRejection,
  settleStale,
  tellCount,
} from './settle-vote.ts';

/** What was read again at the click, before anything is decided: no network inside a transaction. */
interface Reread {
  electorate: Electorate;
  /** What changed since it was proposed; null: nothing, or the target could not be asked in time. */
  staleBecause: string | null;
}

/** Counts one click or command. Late, double, foreign and forged ones change nothing and are answered. */
export async function castVote(flow: Flow, ballot: Ballot): Promise<VoteOutcome> {
  const known = await findMitigation(flow.db, ballot.mitigationId);
  const incident = known?.incident_id == null ? undefined : await findIncident(flow.db, known.incident_id);
  if (known === undefined || incident === undefined || !isInItsRoom(ballot, incident.channel_id))
    return { kind: 'not-found' };
  const votes = await votesOn(flow.db, known.id);
  const voters = [ballot.voter, ...votes.map(({ voter }) => voter)];
  const alone = ballot.choice === 'break-glass';
  const electorate = await electorateOf(flow, known, { incident, voters, alone });
  const likely = judgeVote({ mitigation: known, ...ballot, electorate, votes, now: flow.clock.now() });
  const staleBecause = counts(likely) ? await changeOfWorld(flow, parsePlan(known.plan)) : null;
  const reread = { electorate, staleBecause };
  const outcome = await flow.db.transaction().execute((tx) => decide(flow, tx, { ballot, reread }));
  return outcome.kind === 'stale' ? replace(flow, outcome, known.id) : outcome;
}

const counts = ({ kind }: VoteOutcome) => kind === 'approved' || kind === 'counted';

function isInItsRoom({ channelId, voter }: Ballot, room: string | null): boolean {
  return channelId === null ? isTerminal(voter) : channelId === room;
}

/** A person waits for the answer to the click. The run reads once more, so what does not answer here is found there. */
const READ_AT_CLICK_MS = 3_000;

async function changeOfWorld(flow: Flow, plan: Plan): Promise<string | null> {
  const target = flow.targetFor(plan);
  if (target === null) return null;
  if (target.describe() !== plan.target)
    return `The plan is stale: its target was ${plan.target}, now it is ${target.describe()}. It was not sent.`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, READ_AT_CLICK_MS, null);
  });
  try {
    const state = await Promise.race([target.read(premisesOf(plan).map(({ setting }) => setting)), late]);
    return state === null ? null : staleNote(changedSince(premisesOf(plan), state));
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function decide(
  flow: Flow,
  tx: Tx,
  { ballot, reread }: { ballot: Ballot; reread: Reread },
): Promise<VoteOutcome> {
  const now = flow.clock.now();
  const { electorate, staleBecause } = reread;
  const mitigation = await lockMitigation(tx, ballot.mitigationId);
  if (mitigation === undefined) return { kind: 'not-found' };
  const votes = await votesOn(tx, mitigation.id);
  const judged = judgeVote({ mitigation, ...ballot, electorate, votes, now });
  const gap = counts(judged)
    ? await releaseGap(flow, tx, { ...parsePlan(mitigation.plan), mitigationId: mitigation.id })
    : null;
  const current: VoteOutcome =
    counts(judged) && staleBecause !== null
      ? { kind: 'stale', what: staleBecause, replacedBy: null }
      : judged;
  const outcome: VoteOutcome =
    gap === null ? current : { kind: 'not-released', why: describeGap(gap, { mentions: true }) };
  await record(tx, { mitigation, ballot, outcome, now });
  const vote: Vote = { mitigation, ballot, now };
  switch (outcome.kind) {
    case 'stale':
      await settleStale(tx, vote, outcome.what);
      return outcome;
    case 'rejected':
    case 'withdrawn':
      await settleRejection(tx, vote, outcome.kind);
      return outcome;
    case 'reason-kept':
      await keepRejectionReason(tx, vote);
      return outcome;
    case 'counted':
      await insertVote(tx, { ...ballot, at: now });
      await tellCount(tx, vote);
      return outcome;
    case 'approved': {
      await insertVote(tx, { ...ballot, at: now });
      const approved = approvedBy(mitigation, await votesOn(tx, mitigation.id), electorate);
      if (approved === null) return { kind: 'wrong-plan' };
      await settleApproval(flow, tx, { ...vote, approved });
      if (!outcome.alone) return outcome;
      return { ...outcome, called: calledFor(flow, { ...mitigation, by: ballot.voter }).who };
    }
    default:
      return outcome;
  }
}

/** The trail holds digests and ids, never what people wrote. */
async function record(
  tx: Tx,
  { mitigation, ballot, outcome, now }: Vote & { outcome: VoteOutcome },
): Promise<void> {
  const { standing } = parsePlan(mitigation.plan);
  const isStanding = outcome.kind === 'approved' && outcome.standing !== null && standing !== null;
  await audit(tx, {
    at: now,
    actor: ballot.voter,
    action: `mitigation.${ballot.choice}`,
    subject: `mitigation ${ballot.mitigationId}`,
    data: {
      outcome: outcome.kind,
      planHash: ballot.planHash,
      ...(isStanding ? { standing: standing.what, standingHash: standing.hash } : {}),
      ...(ballot.reason ? { reasonDigest: digestOf(ballot.reason) } : {}),
    },
  });
}

async function replace(
  flow: Flow,
  outcome: VoteOutcome & { kind: 'stale' },
  id: number,
): Promise<VoteOutcome> {
  const stale: Mitigation | undefined = await findMitigation(flow.db, id);
  const again = stale === undefined ? null : await proposeAgain(flow, stale);
  const isProposed = again?.kind === 'proposed' || again?.kind === 'already-proposed';
  return isProposed ? { ...outcome, replacedBy: again.mitigation.id } : outcome;
}
