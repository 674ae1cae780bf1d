import type { Db } from '../../db/database.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { TargetState, Value } from '../serving.ts';
import { isServable } from '../serving-change.ts';
import { changeServing, newestServings, type ServingVersion } from '../serving-store.ts';
import type { Target } from '../target.ts';

const SERVICE = 'built-in target';

export interface BuiltInDetails {
  service: string;
  environment: string;
  /** What the configuration says; what a mitigation changed goes before it. */
  initial: TargetState;
  now(): Date;
  /** Told of each version that this process made, so that it is served at once. */
  onChange?(serving: ServingVersion): void;
}

/** The settings that the bot itself serves over OFREP: every kind of setting, for services that have no other target. */
export function builtInTarget(db: Db, details: BuiltInDetails): Target {
  const { service, environment, initial } = details;
  return {
    describe: () => 'built-in',
    can: isServable,
    async read() {
      const [newest] = await asked(() => newestServings(db, { service, environment }), false);
      return { ...initial, ...newest?.overrides };
    },
    async apply(step, { planHash, idempotencyKey, isGivenBack = false }) {
      const change = { service, environment, initial, step, planHash, idempotencyKey, isGivenBack };
      const at = details.now();
      const outcome = await asked(() => changeServing(db, { ...change, at, by: 'llm-incident' }), true);
      if (outcome.kind === 'refused') throw refusal(outcome.problem, '422');
      if (outcome.kind === 'moved')
        throw refusal(
          `${step.setting} is ${say(outcome.now)} now, not ${say(step.from)}: it was changed`,
          '409',
        );
      details.onChange?.(outcome.serving);
    },
  };
}

const say = (value: Value) => (value === null ? 'unset' : String(value));

function refusal(problem: string, code: string): ExternalError {
  return new ExternalError(problem, { service: SERVICE, code, retryable: false });
}

/** A commit whose answer was lost may have been made; the same key again settles it. */
async function asked<T>(query: () => Promise<T>, isChange: boolean): Promise<T> {
  try {
    return await query();
  } catch (thrown) {
    throw new ExternalError(`the database did not answer: ${messageOf(thrown)}`, {
      service: SERVICE,
      retryable: true,
      outcomeUnknown: isChange,
      cause: thrown,
    });
  }
}
