import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { type Incident, isPerson, LIVE, mayBecome, nameOf, SEVERITIES } from '../../incident/incident.ts';
import { addToTimeline, lockIncident, milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import {
  forgetSkippedPages,
  movePages,
  moveSignals,
  pointToSurvivor,
  sentPages,
} from '../../incident/merge-store.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { invitePeople, notice, refreshCard, settlePages } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { JOINED } from '../watch/join-incident.ts';
import { end } from './end-incident.ts';
import { pageNow, planPages } from './open-incident.ts';
import { changeSeverity } from './set-severity.ts';

export type MergeRefusal =
  | 'itself'
  | 'over'
  | 'survivor-over'
  | 'elsewhere'
  | 'private'
  | 'drill'
  | 'running';
export type Merged = { kind: 'merged'; into: Incident } | { kind: 'refused'; why: MergeRefusal };

interface Merging {
  /** The one that ends. */
  incident: Incident;
  into: Incident;
  by: string;
}

/**
 * Two incidents turn out to be one: this one ends, and what fires, its page and its people go on in the other. Policy:
 * only into one that is live, so there are no circles; never across environments, and never out of or into a private
 * room; the survivor is as severe as the worse of the two; what is in force stays bound to its own plan and is listed.
 */
export async function mergeIncident(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'pager'>,
  { incident, into, by }: Merging,
): Promise<Merged> {
  const now = flow.clock.now();
  if (incident.id === into.id) return { kind: 'refused', why: 'itself' };
  return flow.db.transaction().execute(async (tx) => {
    const found = await lockBoth(tx, incident, into);
    const why = await whyNot(tx, found);
    if (why !== null) return { kind: 'refused', why };
    const step = { incident: found.from, by, reason: `into ${nameOf(into.id)}`, now, to: 'merged' as const };
    const ended = await end(tx, step);
    if (ended.kind !== 'done') return { kind: 'refused', why: 'over' };
    const ids = { from: incident.id, into: into.id };
    await pointToSurvivor(tx, ids);
    await moveSignals(tx, ids);
    await takeOverPage(flow, tx, { ...found, by, now });
    await tellBoth(tx, { ...found, by, now });
    return { kind: 'merged', into: found.into };
  });
}

/** In one order for all, so that two merges at once cannot wait for each other. */
async function lockBoth(tx: Tx, from: Incident, into: Incident): Promise<{ from: Incident; into: Incident }> {
  const rows = new Map<number, Incident>();
  for (const one of [from, into].sort((a, b) => a.id - b.id))
    rows.set(one.id, (await lockIncident(tx, one.id)) ?? one);
  return { from: rows.get(from.id) ?? from, into: rows.get(into.id) ?? into };
}

const UNDER_WAY = ['approved', 'running'];

async function whyNot(
  tx: Tx,
  { from, into }: { from: Incident; into: Incident },
): Promise<MergeRefusal | null> {
  if (!mayBecome(from.status, 'merged')) return 'over';
  if (!LIVE.includes(into.status)) return 'survivor-over';
  if (from.private || into.private) return 'private';
  if (from.environment !== into.environment) return 'elsewhere';
  if (from.drill !== into.drill) return 'drill';
  const isBusy = (await mitigationsOf(tx, from.id)).some(({ status }) => UNDER_WAY.includes(status));
  return isBusy ? 'running' : null;
}

type Both = { from: Incident; into: Incident; by: string; now: Date };

/** Whoever was paged for the one is paged for the other; who is awake already is not paged again. */
async function takeOverPage(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  { from, into, by, now }: Both,
): Promise<void> {
  if ((await sentPages(tx, from.id)) > 0) await forgetSkippedPages(tx, into.id);
  const waiting = (await pagesOf(tx, from.id)).filter(({ state }) => state === 'pending');
  const moved = await movePages(tx, { from: from.id, into: into.id, at: now });
  const { acknowledged } = await milestonesOf(tx, into.id);
  if (moved > 0 && acknowledged !== undefined) {
    const job = settlePages(into.id, 'acknowledged', now);
    await enqueue(tx, { ...job, dedupeKey: `${job.dedupeKey}:with-${from.id}` });
  }
  // What has not reached PagerDuty yet is not lost with the incident that it was for.
  for (const { purpose } of waiting) await pageNow(flow, tx, { incident: into, now, purpose });
  if (SEVERITIES.indexOf(from.severity) >= SEVERITIES.indexOf(into.severity)) return;
  const raised = await changeSeverity(flow, tx, { incident: into, severity: from.severity, by, now });
  if (raised !== null) await planPages(flow, tx, { incident: { ...raised, source: 'person' }, now });
}

/** Policy: nobody's phone is pushed; those who worked on the one are let into the room of the other. */
async function tellBoth(tx: Tx, { from, into, by, now }: Both): Promise<void> {
  const text = `${nameOf(from.id)} was merged into this incident: ${from.title}`;
  await addToTimeline(tx, { incidentId: into.id, at: now, kind: 'merged', actor: by, text });
  const [first] = await signalsOn(tx, from.id);
  if (first !== undefined) {
    const plain = first.replace(JOINED, '');
    const said = (await signalsOn(tx, into.id)).length === 0 ? plain : `${JOINED}${plain}`;
    await addToTimeline(tx, { incidentId: into.id, at: now, kind: 'signal', actor: null, text: said });
  }
  const people = [from.commander, from.scribe, from.comms, from.declared_by, by];
  const gone = `${nameOf(from.id)} was merged into ${nameOf(into.id)}: go on there. What fires and the page moved; what is on is listed there.`;
  await enqueue(tx, [
    invitePeople(into.id, [...new Set(people.filter(isPerson))], now),
    notice(into.id, now, { text, aloud: true, ...roomIn(from) }),
    refreshCard(into.id, now),
    notice(from.id, now, { text: gone, aloud: true, ...roomIn(into) }),
  ]);
}

const roomIn = ({ channel_id: room }: Incident) => (room === null ? {} : { room });

/** What fired, oldest first, as the timeline says it. */
async function signalsOn(tx: Tx, incidentId: number): Promise<string[]> {
  return (await timelineOf(tx, incidentId)).filter(({ kind }) => kind === 'signal').map(({ text }) => text);
}
