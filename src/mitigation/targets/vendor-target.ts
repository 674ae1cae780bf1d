import { ExternalError } from '../../errors.ts';
import type { Step } from '../plan.ts';
import type { Setting, TargetState, Value } from '../serving.ts';
import type { Target, TargetChange } from '../target.ts';
import { MISNAMED, refusal } from './vendor-errors.ts';
import { type Connection, type Operation, vendorOperations } from './vendor-request.ts';

export interface VendorTarget extends Target {
  /** All that the config names, and of what is asked about whatever it can change (a limit of one user). */
  read(about?: readonly Setting[]): Promise<TargetState>;
  /** Why this step cannot be taken, before it is proposed; null when it can. */
  refuses(step: Pick<Step, 'setting' | 'to'>): string | null;
}

export interface Change {
  step: Step;
  planHash: string;
  idempotencyKey: string;
  operation: Operation;
  /** A new operation with a deadline of its own, for asking only. */
  ask(): Operation;
}

/** What one vendor does differently. */
export interface Vendor {
  describe: string;
  byHand: string;
  /** Always read. */
  settings: readonly Setting[];
  can(setting: Setting): boolean;
  refuses(step: Pick<Step, 'setting' | 'to'>): string | null;
  /** Undefined where its value cannot be told, or could not be given back as it was. */
  readOne(operation: Operation, setting: Setting): Promise<Value | undefined>;
  /** Called with a step whose `from` was read in the same operation. */
  change(change: Change): Promise<void>;
  /** In any order, and of a longer time than was asked for, if that is simpler. */
  changes?(operation: Operation, since: Date): Promise<TargetChange[]>;
}

/**
 * Policy: a change is sent only while the vendor still says what the plan began at; what is so already is not sent
 * again, and what became something else is refused.
 */
export function vendorTarget(vendor: Vendor, connection: Connection): VendorTarget {
  const start = vendorOperations(connection);
  const name = connection.vendor;
  const { changes } = vendor;
  const refuses: VendorTarget['refuses'] = (step) =>
    vendor.can(step.setting) ? vendor.refuses(step) : `${name} is not set up to change ${step.setting}`;
  return {
    describe: () => vendor.describe,
    byHand: () => vendor.byHand,
    can: (setting) => vendor.can(setting),
    refuses,
    async read(about = []) {
      const operation = start();
      const asked = new Set(about.filter((setting) => vendor.can(setting)));
      const settings = [...new Set([...vendor.settings, ...asked])];
      const read = settings.map((setting) => vendor.readOne(operation, setting));
      return stateOf(settings, await Promise.allSettled(read), asked);
    },
    async apply(step, run) {
      const reason = refuses(step);
      if (reason !== null) throw refusal(name, 'VALUE', `${reason}; nothing was sent`);
      const operation = start();
      const current = await vendor.readOne(operation, step.setting);
      if (current === step.to) return;
      if (current === undefined) {
        throw refusal(
          name,
          'UNKNOWN_STATE',
          `what ${step.setting} is there cannot be told; nothing was sent`,
        );
      }
      if (current !== step.from) {
        const text = `${step.setting} is ${current} there, not ${step.from} any more; nothing was sent`;
        throw refusal(name, 'STALE', text);
      }
      await vendor.change({ step, ...run, operation, ask: start });
    },
    ...(changes === undefined
      ? {}
      : { changes: async (since: Date) => newestFirst(await changes(start(), since), since) }),
  };
}

function newestFirst(changes: readonly TargetChange[], since: Date): TargetChange[] {
  return changes.filter(({ at }) => at > since).sort((a, b) => b.at.getTime() - a.at.getTime());
}

/**
 * Policy: what the vendor does not know by the name in the config is left out, so that one wrong name does not keep the
 * others from being changed; unless it was asked for, or nothing else is known. Any other failure is one of the whole.
 */
function stateOf(
  settings: readonly Setting[],
  outcomes: readonly PromiseSettledResult<Value | undefined>[],
  asked: ReadonlySet<Setting>,
): TargetState {
  const state: Record<Setting, Value> = {};
  let misnamed: unknown;
  for (const [index, setting] of settings.entries()) {
    const outcome = outcomes[index] as PromiseSettledResult<Value | undefined>;
    if (outcome.status === 'fulfilled') {
      if (outcome.value !== undefined) state[setting] = outcome.value;
    } else if (isMisnamed(outcome.reason) && !asked.has(setting)) misnamed = outcome.reason;
    else throw outcome.reason;
  }
  if (misnamed !== undefined && Object.keys(state).length === 0) throw misnamed;
  return state;
}

const isMisnamed = (reason: unknown) =>
  reason instanceof ExternalError && (reason.code === '404' || reason.code === MISNAMED);

/** For whole percent: the vendors take 150 and "abc" as well. */
export function refusesPercent(to: Value): string | null {
  const fits = typeof to === 'number' && Number.isInteger(to) && to >= 0 && to <= 100;
  return fits ? null : `${to} is not a whole number of percent from 0 to 100`;
}

export function refusesSwitch(to: Value): string | null {
  return typeof to === 'boolean' ? null : `${to} is neither on nor off`;
}
