import type { Tx } from '../../db/database.ts';
import { qualityLength } from '../../detection/rules/quality-length.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { lockIncident } from '../../incident/incident-store.ts';
import {
  type Bars,
  type Check,
  checkOf,
  checksFor,
  failedChecks,
  type Side,
} from '../../mitigation/rehearsal.ts';
import { chooseCalls, chosenCalls } from '../../mitigation/rehearsal-store.ts';
import type { ReplayCall } from '../../mitigation/replay-through.ts';
import { freezeContent } from '../../sources/call-store.ts';
import {
  type FailedBy,
  failingCalls,
  medianOutputChars,
  type ReplayableCall,
  replayableCalls,
  soundCalls,
} from '../../sources/replay-sample-store.ts';
import type { Flow } from '../flow.ts';

/** Failing calls at the most, and as many good ones. */
const CALLS_A_SIDE = 20;
const GOOD_BEFORE_MS = 24 * 60 * 60_000;
const PASS_SCORE = 0.5;
const LEAST_WINDOW_MS = 30 * 60_000;

/** A recorded call with what its replay is judged by. */
export interface SetCall {
  call: ReplayCall;
  side: Side;
  failed: Check[];
}

/** What is replayed for an incident: the same calls for every candidate. */
export interface ReplaySet {
  /** A failing one, a good one, in turn, so that a run that ends early has seen of both. */
  calls: SetCall[];
  /** Chosen, with a text or without. */
  failing: number;
  withoutText: number;
  checks: Check[];
  bars: Bars;
}

interface Window {
  service: string;
  environment: string;
  from: Date;
  to: Date;
}

/** The calls that are replayed for the incident; they are chosen, and their texts kept, at the first time. */
export async function replaySet(flow: Pick<Flow, 'db' | 'clock'>, incident: Incident): Promise<ReplaySet> {
  const { window, passScore, frozen } = await frozenFor(flow, incident);
  const usual = { ...window, from: new Date(window.from.getTime() - GOOD_BEFORE_MS), to: window.from };
  const median = checkOf(incident.rule) === 'length' ? await medianOutputChars(flow.db, usual) : null;
  const minChars = median === null ? null : Math.floor(median * qualityLength.defaults.threshold);
  const bars = { passScore, minChars };
  const good = { ...window, from: usual.from };
  await flow.db.transaction().execute((tx) => choose(tx, incident, { window, good, bars, frozen }));
  const chosen = await chosenCalls(flow.db, incident.id);
  const sides = new Map(chosen.map(({ callId, side }) => [callId, side]));
  const found = await replayableCalls(flow.db, [...sides.keys()]);
  return setOf(found, { sides, bars, rule: incident.rule });
}

/** What was frozen when the incident was opened; without that, the half hour before. */
async function frozenFor(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
): Promise<{ window: Window; passScore: number; frozen: number[] }> {
  const { samples } = await evidenceOf(flow.db, incident.id);
  const data = samples?.data as
    | { window: { from: string }; passScore: number | null; failing: { callId: number }[] }
    | undefined;
  const earliest = new Date(incident.created_at.getTime() - LEAST_WINDOW_MS);
  const from = data === undefined ? earliest : new Date(data.window.from);
  const { service, environment } = incident;
  return {
    window: { service: service ?? '', environment, from, to: flow.clock.now() },
    passScore: data?.passScore ?? PASS_SCORE,
    frozen: (data?.failing ?? []).map(({ callId }) => callId),
  };
}

/**
 * Policy: the failing calls are those that failed what the rule looks at; where it looks at scores or formats, or nobody's
 * rule tripped, those that were frozen as evidence. The good ones are of the time since the onset and the day before.
 */
async function choose(
  tx: Tx,
  incident: Incident,
  about: { window: Window; good: Window; bars: Bars; frozen: readonly number[] },
): Promise<void> {
  const { window, good, bars, frozen } = about;
  // Two rehearsals of one incident may start together.
  await lockIncident(tx, incident.id);
  const earlier = await chosenCalls(tx, incident.id);
  if (earlier.length > 0) return;
  const by = failedBy(incident, bars);
  const failing =
    by.by === 'verdict' && frozen.length > 0
      ? frozen.slice(0, CALLS_A_SIDE)
      : await failingCalls(tx, { ...window, ...by, limit: CALLS_A_SIDE });
  if (failing.length === 0) return;
  const sound = await soundCalls(tx, { ...good, ...bars, limit: failing.length });
  await chooseCalls(tx, incident.id, [
    ...failing.map((callId) => ({ callId, side: 'failing' as const })),
    ...sound.map((callId) => ({ callId, side: 'good' as const })),
  ]);
  await freezeContent(tx, [...failing, ...sound], incident.id);
}

function failedBy({ rule, category }: Incident, { passScore, minChars }: Bars): FailedBy {
  const check = checkOf(rule);
  if (check === 'refusal' || check === 'hallucination') return { by: check };
  if (check === 'answer' || category === 'outage') return { by: 'error' };
  if (check === 'length' && minChars !== null) return { by: 'length', minChars };
  if (category === 'safety' && rule !== null) return { by: 'event', rule };
  return { by: 'verdict', passScore };
}

function setOf(
  found: readonly ReplayableCall[],
  { sides, bars, rule }: { sides: ReadonlyMap<number, Side>; bars: Bars; rule: string | null },
): ReplaySet {
  const costs = found.flatMap(({ costUsd }) => costUsd ?? []);
  const meanUsd = costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const calls = found.flatMap((known): SetCall[] => {
    const { id, input, promptName, parameters, costUsd } = known;
    const side = sides.get(id) ?? 'good';
    if (input === null || input === '') return [];
    const call = { id, input, promptName: promptName ?? '', parameters, expectedUsd: costUsd ?? meanUsd };
    return [{ call, side, failed: failedChecks(known, bars) }];
  });
  const failing = calls.filter(({ side }) => side === 'failing');
  const good = calls.filter(({ side }) => side === 'good');
  const turns = Array.from({ length: Math.max(failing.length, good.length) }, (_, turn) => turn);
  const failedBefore = failing.map(({ failed }) => failed);
  return {
    calls: turns.flatMap((turn) => [...failing.slice(turn, turn + 1), ...good.slice(turn, turn + 1)]),
    failing: [...sides.values()].filter((side) => side === 'failing').length,
    withoutText: sides.size - calls.length,
    checks: checksFor(rule, failedBefore),
    bars,
  };
}
