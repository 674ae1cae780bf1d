import type { Incident } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type Candidate, candidateName, candidateWith } from '../../mitigation/candidate.ts';
import { wantedToServe } from '../../mitigation/ledger-component.ts';
import type { Plan } from '../../mitigation/plan.ts';
import {
  findRehearsal,
  type Rehearsal,
  rehearsalOf,
  rehearsalsOf,
} from '../../mitigation/rehearsal-store.ts';
import { describeResult, shortResult } from '../../mitigation/rehearsal-text.ts';
import type { Flow } from '../flow.ts';
import type { KnownGood } from '../ledger/known-good.ts';
import type { RehearsalView } from '../ports.ts';
import { rehearsalConfig, servedNow } from './rehearsal-config.ts';

const NOTHING: Candidate = { prompts: {}, model: null };

const none = (text: string): RehearsalView => ({ kind: 'none', text, short: null });

/** What the room is told about the rehearsal of a plan: its result, that it runs, or why there is none. */
export async function rehearsalView(
  flow: Pick<Flow, 'db' | 'config'>,
  { mitigationId, plan }: { mitigationId: number; plan: Plan },
): Promise<RehearsalView> {
  if (rehearsalConfig(flow, plan) === null)
    return none('no rehearsal endpoint is declared for this service.');
  if (candidateWith(NOTHING, plan.steps) === null) return none('it changes no prompt and no model.');
  const rehearsal = await rehearsalOf(flow.db, mitigationId);
  if (rehearsal === undefined) return none(await whyUnasked(flow, plan));
  const { status, result, reason, role, state } = rehearsal;
  // An undo can lead to what was served at the opening; there it is known by what it is.
  const name = role === 'current' ? candidateName(state, NOTHING) : rehearsal.name;
  if (status === 'waiting' || status === 'running')
    return { kind: 'running', text: `${name} is being rehearsed now.`, short: null };
  if (result === null) return none(`${reason ?? 'it failed'}.`);
  const beside = await asServed(flow, rehearsal);
  return { kind: 'result', text: `${describeResult(name, result)}${beside}`, short: shortResult(result) };
}

async function whyUnasked({ db }: Pick<Flow, 'db'>, { incidentId }: Plan): Promise<string> {
  const incident = incidentId === null ? undefined : await findIncident(db, incidentId);
  return incident?.category === 'cost'
    ? 'a replay cannot judge what calls cost.'
    : 'no endpoint was declared when this was proposed.';
}

/** What is served now, replayed alike: what would seem fixed without any change. */
async function asServed({ db }: Pick<Flow, 'db'>, { id, incident_id }: Rehearsal): Promise<string> {
  const current = (await rehearsalsOf(db, incident_id)).find(({ role }) => role === 'current');
  if (current === undefined || current.id === id || current.result === null) return '';
  return ` What was served at the opening: ${shortResult(current.result)}.`;
}

/** "fixes 18 of 20, breaks 0 of 20" of the known-good state; null while nothing is known of it. */
export async function knownGoodRehearsal(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  incident: Incident,
  good: KnownGood,
): Promise<string | null> {
  if (rehearsalConfig(flow, incident) === null) return null;
  const current = await servedNow(flow, incident, flow.clock.now());
  const candidate = candidateWith(current, wantedToServe(good.changed)) ?? current;
  const rehearsal = await findRehearsal(flow.db, incident.id, candidate);
  return rehearsal?.result == null ? null : shortResult(rehearsal.result);
}
