import { promptNameOf, type ServingState } from '../evidence/ledger.ts';
import type { Incident } from '../incident/incident.ts';
import { findMitigation, type Mitigation } from '../mitigation/mitigation-store.ts';
import { describeSteps, type Plan, parsePlan, undoOf, type Wanted } from '../mitigation/plan.ts';
import type { Flow } from './flow.ts';
import { findKnownGood } from './known-good.ts';

/** What somebody wants: the known-good state, settings by name, or an earlier mitigation taken back. */
export type WantedState = 'known-good' | readonly Wanted[] | { undo: number };

/** What is to be served, and why. */
export interface Aim {
  wanted: readonly Wanted[];
  why: string;
  wish: Plan['wish'];
}

export type Aimed =
  | { kind: 'aim'; aim: Aim }
  | { kind: 'no-known-good' }
  /** There is no such mitigation of this incident, or nothing of it is in force. */
  | { kind: 'nothing-to-undo'; why: string };

/** Mitigations of which something is in force. */
export const IN_FORCE: readonly Mitigation['status'][] = ['applied', 'proven', 'unproven', 'not-contained'];

export async function aimAt(flow: Flow, incident: Incident, wanted: WantedState): Promise<Aimed> {
  if (wanted === 'known-good') {
    const good = await findKnownGood(flow, incident);
    if (good === null) return { kind: 'no-known-good' };
    const wish = { kind: 'known-good' as const, undoes: null };
    return { kind: 'aim', aim: { wanted: wantedOf(good.changed), why: good.sentence, wish } };
  }
  if ('undo' in wanted) return aimAtUndo(flow, incident, wanted.undo);
  const wish = { kind: 'named' as const, undoes: null };
  return { kind: 'aim', aim: { wanted, why: 'Named by hand.', wish } };
}

async function aimAtUndo(flow: Pick<Flow, 'db'>, incident: Incident, id: number): Promise<Aimed> {
  const known = await findMitigation(flow.db, id);
  if (known === undefined || known.incident_id !== incident.id)
    return { kind: 'nothing-to-undo', why: `There is no mitigation ${id} in this incident` };
  if (!IN_FORCE.includes(known.status))
    return { kind: 'nothing-to-undo', why: `Mitigation ${id} is ${known.status}` };
  const { steps, wish } = parsePlan(known.plan);
  if (wish.kind === 'undo')
    return { kind: 'nothing-to-undo', why: `Mitigation ${id} took another one back; propose what you want` };
  const back = undoOf(steps);
  if (back.length < steps.length)
    return { kind: 'nothing-to-undo', why: `What was served before mitigation ${id} is not known` };
  return {
    kind: 'aim',
    aim: {
      wanted: back.map(({ setting, to }) => ({ setting, to })),
      why: `Takes mitigation ${id} back: ${describeSteps(steps)}.`,
      wish: { kind: 'undo', undoes: id },
    },
  };
}

/** The same wish once more, for a plan that the world has overtaken. */
export function wantedAgain({ wish, steps }: Plan): WantedState {
  if (wish.kind === 'known-good') return 'known-good';
  if (wish.undoes !== null) return { undo: wish.undoes };
  return steps.map(({ setting, to }) => ({ setting, to }));
}

/** What a target is told so that it serves this state: each prompt's version, and the model that really answered. */
function wantedOf(state: ServingState): Wanted[] {
  return Object.entries(state).flatMap(([component, values]): Wanted[] => {
    const { version, served, requested } = values;
    if (component === 'model') {
      const model = served ?? requested;
      return model ? [{ setting: 'model', to: model }] : [];
    }
    if (!version || !component.startsWith('prompt')) return [];
    const name = promptNameOf(component);
    return [{ setting: name === null ? 'prompt' : `prompt:${name}`, to: version }];
  });
}
