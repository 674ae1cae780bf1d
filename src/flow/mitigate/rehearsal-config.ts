import type { RehearsalConfig } from '../../config/rehearsal.ts';
import { stateAt } from '../../evidence/ledger-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { type Candidate, candidateOf } from '../../mitigation/candidate.ts';
import { type Flow, serviceConfig } from '../flow.ts';

type Place = Pick<Incident, 'service' | 'environment'>;

/** The endpoint that the service declares for rehearsals; null where none is. */
export function rehearsalConfig(
  flow: Pick<Flow, 'config'>,
  { service, environment }: Place,
): RehearsalConfig | null {
  if (environment !== flow.config.environment) return null;
  return serviceConfig(flow, service)?.rehearsal ?? null;
}

/** Policy: what calls cost is not rehearsed, for a replay is answered under no load and by nobody's loop. */
export function isRehearsed(
  flow: Pick<Flow, 'config'>,
  incident: Place & Pick<Incident, 'category'>,
): boolean {
  return incident.category !== 'cost' && rehearsalConfig(flow, incident) !== null;
}

/** What the ledger says is served. */
export async function servedNow(
  { db }: Pick<Flow, 'db'>,
  { service, environment }: Place,
  at: Date,
): Promise<Candidate> {
  return candidateOf(service === null ? {} : await stateAt(db, { service, environment, at }));
}
