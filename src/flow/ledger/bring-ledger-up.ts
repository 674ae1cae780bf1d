import { observe } from '../../evidence/observation-store.ts';
import type { ServiceName } from '../../sources/call-statistics-store.ts';
import type { Flow } from '../flow.ts';

/** The ledger is read when an incident opens, so it is brought up to the calls that have arrived before that. */
export async function bringLedgerUp(flow: Pick<Flow, 'db'>, service: ServiceName, now: Date): Promise<void> {
  const turn = () => flow.db.transaction().execute((tx) => observe(tx, { ...service, recordedAt: now }));
  while (!(await turn()).caughtUp);
}
