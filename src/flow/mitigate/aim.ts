import type { Incident } from '../../incident/incident.ts';
import { IN_FORCE } from '../../mitigation/in-force.ts';
import { wantedToServe } from '../../mitigation/ledger-component.ts';
import { findMitigation } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan, type Wanted } from '../../mitigation/plan.ts';
import { subjectOf } from '../../mitigation/serving.ts';
import { describePlan, type WantedShift } from '../../mitigation/shift.ts';
import type { Flow } from '../flow.ts';
import { probedKnownGood } from '../ledger/known-good.ts';
import { type Candidate, probeCandidate } from '../ledger/probe-candidate.ts';
import { urgently, wantedFor } from './plan-shift.ts';

/** What somebody wants: the known-good state, settings by name, an earlier mitigation taken back, or traffic shifted. */
export type WantedState = 'known-good' | readonly Wanted[] | { undo: number } | { shift: WantedShift };

/** What is to be served, and why. */
export interface Aim {
  wanted: readonly Wanted[];
  why: string;
  wish: Plan['wish'];
  /** The traffic goes there stage by stage. */
  shift?: WantedShift;
}

export type Aimed =
  | { kind: 'aim'; aim: Aim }
  /** `silent`: the states that were green and do not answer any more. */
  | { kind: 'no-known-good'; silent: string[] }
  /** There is no such mitigation of this incident, or nothing of it is in force. */
  | { kind: 'nothing-to-undo'; why: string };

export async function aimAt(flow: Flow, incident: Incident, wanted: WantedState): Promise<Aimed> {
  if (wanted === 'known-good') {
    const probe = (candidate: Candidate) => probeCandidate(flow, candidate);
    const found = await probedKnownGood(flow, { incident, probe });
    if (found.kind === 'none') return { kind: 'no-known-good', silent: found.silent };
    const wish = { kind: 'known-good' as const, undoes: null };
    const { changed, sentence } = found.good;
    return { kind: 'aim', aim: { wanted: wantedToServe(changed), why: sentence, wish } };
  }
  if ('undo' in wanted) return aimAtUndo(flow, incident, wanted.undo);
  const wish = { kind: 'named' as const, undoes: null };
  // A list has a method of that name.
  if (!Array.isArray(wanted) && 'shift' in wanted) {
    const shift = urgently(wanted.shift, incident);
    const target = flow.targetFor({ service: incident.service ?? '', environment: incident.environment });
    const asked = target === null ? [] : wantedFor(target, shift);
    return { kind: 'aim', aim: { wanted: asked, why: 'Named by hand.', wish, shift } };
  }
  return { kind: 'aim', aim: { wanted, why: 'Named by hand.', wish } };
}

async function aimAtUndo(flow: Pick<Flow, 'db'>, incident: Incident, id: number): Promise<Aimed> {
  const known = await findMitigation(flow.db, id);
  if (known === undefined || known.incident_id !== incident.id)
    return { kind: 'nothing-to-undo', why: `There is no mitigation ${id} in this incident` };
  if (!IN_FORCE.includes(known.status))
    return { kind: 'nothing-to-undo', why: `Mitigation ${id} is ${known.status}` };
  const plan = parsePlan(known.plan);
  const { steps, wish } = plan;
  if (wish.kind === 'undo')
    return { kind: 'nothing-to-undo', why: `Mitigation ${id} took another one back; propose what you want` };
  const back = plan.undo;
  if (back.length < steps.length)
    return { kind: 'nothing-to-undo', why: `What was served before mitigation ${id} is not known` };
  return {
    kind: 'aim',
    aim: {
      wanted: back.map(({ setting, to }) => ({ setting, to })),
      why: `Takes mitigation ${id} back: ${describePlan(plan)}.`,
      wish: { kind: 'undo', undoes: id },
    },
  };
}

/** The same wish once more, for a plan that the world has overtaken. */
export function wantedAgain({ wish, steps, shift }: Plan): WantedState {
  if (wish.kind === 'known-good') return 'known-good';
  if (wish.undoes !== null) return { undo: wish.undoes };
  if (shift !== null) {
    const arm = subjectOf(shift.setting) ?? '';
    return { shift: { arm, isAll: shift.stages.length === 1 && shift.from === 0 } };
  }
  return steps.map(({ setting, to }) => ({ setting, to }));
}
