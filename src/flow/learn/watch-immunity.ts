import { subHours } from 'date-fns';
import type { Tx } from '../../db/database.ts';
import { enqueue, type NewJob } from '../../db/jobs.ts';
import { readOrSet, writeSetting } from '../../db/setting-store.ts';
import { isPrompt, keyOf, promptNameOf } from '../../evidence/ledger.ts';
import { type LedgerRow, ledgerHeadRow, lockLedger, rowsAfter } from '../../evidence/ledger-store.ts';
import { backupOf, type Candidate } from '../../mitigation/candidate.ts';
import { provenCasesOf } from '../../postmortem/case-store.ts';
import { askImmunity } from '../../postmortem/immunity-store.ts';
import type { Flow } from '../flow.ts';
import { describeComponent, nameOfComponent } from '../ledger/component-text.ts';
import { rehearsalConfig, servedNow } from '../mitigate/rehearsal-config.ts';

export const IMMUNITY = 'try-immunity';
const READ_UP_TO = 'immunity-ledger-id';
const ROWS_A_TURN = 500;
/** A change that is told later than this has been served to users for as long. */
const NEWS_HOURS = 1;

/**
 * Looks what the ledger has learnt since the last look. Policy: a prompt or model that changed to something else within
 * the last hour is tried once on the proven cases of the service's past incidents, where an endpoint is declared.
 */
export async function watchImmunity(flow: Pick<Flow, 'db' | 'clock' | 'config'>): Promise<void> {
  const head = (await ledgerHeadRow(flow.db))?.seq ?? 0;
  const readUpTo = Number(await readOrSet(flow.db, READ_UP_TO, head));
  if (readUpTo >= head) return;
  await flow.db.transaction().execute(async (tx) => {
    // Its writers hold the same lock, so no row appears behind the one that was read last.
    await lockLedger(tx);
    const afterId = Number(await readOrSet(tx, READ_UP_TO, head));
    const rows = await rowsAfter(tx, { afterId, limit: ROWS_A_TURN });
    const services = Map.groupBy(news(flow, rows), (row) => row.service);
    for (const changes of services.values()) await askOne(flow, tx, changes);
    await writeSetting(tx, READ_UP_TO, rows.at(-1)?.id ?? afterId);
  });
}

function news(flow: Pick<Flow, 'clock' | 'config'>, rows: readonly LedgerRow[]): LedgerRow[] {
  const since = subHours(flow.clock.now(), NEWS_HOURS);
  return rows.filter((row) => {
    const isServed = isPrompt(row.component) || row.component === 'model';
    return isServed && row.previous !== null && row.at >= since && triesChanges(flow, row);
  });
}

function triesChanges(flow: Pick<Flow, 'config'>, place: LedgerRow): boolean {
  return rehearsalConfig(flow, place)?.on_change ?? false;
}

/** Policy: several changes at once are one state; of a component that changed more than once only the outcome counts. */
async function askOne(flow: Pick<Flow, 'clock'>, tx: Tx, rows: readonly LedgerRow[]): Promise<void> {
  const changes = [...Map.groupBy(rows, ({ component }) => component).values()].flatMap(outcomeOf);
  const [first] = changes;
  if (first === undefined) return;
  const { service, environment } = first;
  if ((await provenCasesOf(tx, { service, environment, limit: 1 })).length === 0) return;
  const at = flow.clock.now();
  const candidate = changes.reduce(served, await servedNow({ db: tx }, first, at));
  const change = changes.map(describeChange).join('; ');
  const id = await askImmunity(tx, { service, environment, candidate, change, at });
  if (id !== null) await enqueue(tx, tryJob(id, at));
}

/** From what it was before the first row to what the last one says; nothing where it is the same again. */
function outcomeOf(rows: readonly LedgerRow[]): LedgerRow[] {
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return [];
  const { previous } = first;
  return previous !== null && keyOf(previous) === keyOf(last.state) ? [] : [{ ...last, previous }];
}

function tryJob(runId: number, now: Date): NewJob {
  return { kind: IMMUNITY, payload: { runId }, runAt: now, dedupeKey: `${IMMUNITY}:${runId}` };
}

/** A target names what it will serve before any call has shown it. */
function served(base: Candidate, { component, state }: LedgerRow): Candidate {
  if (component === 'model') {
    const model = state['served'] ?? state['requested'];
    return model ? backupOf(base, { model }) : base;
  }
  const { version } = state;
  return version ? backupOf(base, { prompt: `${promptNameOf(component) ?? ''}=${version}` }) : base;
}

function describeChange({ component, previous, state }: LedgerRow): string {
  return `${nameOfComponent(component)} ${describeComponent(previous)} → ${describeComponent(state)}`;
}
