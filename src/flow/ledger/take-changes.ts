import type { Tx } from '../../db/database.ts';
import { type ComponentState, keyOf, promptComponent, REPORTED } from '../../evidence/ledger.ts';
import type { NewLedgerRow } from '../../evidence/ledger-chain.ts';
import { appendChanges, lockLedger, newestOf } from '../../evidence/ledger-store.ts';
import { noteReported } from '../../evidence/reported-store.ts';
import type { ReportedChange } from '../../sources/reported-change.ts';
import type { Flow } from '../flow.ts';

/** How many changes are new, and how many were known before. */
export interface Taken {
  recorded: number;
  known: number;
}

/**
 * Keeps what somebody told in the ledger. Policy: what was told under the same id, or with the same component, value
 * and time, is the same change; without a time, a value that was told last is no change.
 */
export async function takeChanges(
  flow: Pick<Flow, 'db' | 'clock'>,
  changes: readonly ReportedChange[],
): Promise<Taken> {
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    await lockLedger(tx);
    let recorded = 0;
    for (const change of changes) if (await take(tx, change, now)) recorded += 1;
    return { recorded, known: changes.length - recorded };
  });
}

async function take(tx: Tx, change: ReportedChange, now: Date): Promise<boolean> {
  const { service, environment, id, by } = change;
  const of = { service, environment, source: sourceOf(change) };
  if (id !== null && !(await noteReported(tx, { service, environment, id, receivedAt: now }))) return false;
  const at = change.at !== null && change.at < now ? change.at : now;
  const { component, state, from } = componentOf(change);
  const last = (await newestOf(tx, { ...of, until: at })).get(component);
  const isSame = last !== undefined && keyOf(last.state) === keyOf(state);
  const isToldAgain = isSame && (change.at === null || last.at.getTime() === at.getTime());
  if (id === null && isToldAgain) return false;
  const previous = from ?? last?.state ?? Object.fromEntries(Object.keys(state).map((key) => [key, null]));
  const row: NewLedgerRow = { ...of, component, state, previous, at, actor: by, recordedAt: now };
  await appendChanges(tx, [row]);
  return true;
}

/** What somebody calls himself is no name of a source of ours. */
const sourceOf = ({ source }: ReportedChange) => (source === null ? REPORTED : `${REPORTED}:${source}`);

interface Component {
  component: string;
  state: ComponentState;
  from: ComponentState | null;
}

function componentOf({ kind, name, from, to }: ReportedChange): Component {
  const stated = (key: string, said: (value: string) => string = (value) => value) => ({
    state: { [key]: said(to) },
    from: from === null ? null : { [key]: said(from) },
  });
  if (kind === 'prompt') return { component: promptComponent(name), ...stated('version') };
  if (kind === 'model') return { component: 'model', ...stated('requested') };
  const component = name === null ? kind : `${kind}:${name}`;
  return { component, ...stated('value', kind === 'flag' ? switchOf : undefined) };
}

/** As targets say it: "true" is on. */
function switchOf(value: string): string {
  if (/^(true|on|enabled)$/i.test(value)) return 'on';
  return /^(false|off|disabled)$/i.test(value) ? 'off' : value;
}
