import { evaluationsBetween } from '../../detection/evaluation-store.ts';
import type { RuleId } from '../../detection/rule.ts';
import type { Incident } from '../../incident/incident.ts';
import { type Flow, minutesToMs } from '../flow.ts';

const NAMING: readonly RuleId[] = ['cost.share', 'cost.spend'];
const LOOK_BACK_MS = minutesToMs(30);

/** "user u-7" out of what a rule said of it: "user u-7, at 4.2 × its own baseline"; null where it names nobody. */
export function offenderIn(detail: string | null): string | null {
  const [, name] =
    /^((?:user|session|endpoint) [\s\S]+?)(?:, at [\d.]+ × its own baseline(?: rate)?|, not seen in the baseline)?$/.exec(
      detail ?? '',
    ) ?? [];
  return name ?? null;
}

/** Whom the evidence names: the newest firing verdict of the last half hour that names a user, session or endpoint. */
export async function offenderOf(
  flow: Pick<Flow, 'db' | 'clock'>,
  { service, environment }: Pick<Incident, 'service' | 'environment'>,
): Promise<string | null> {
  if (service === null) return null;
  const to = new Date(flow.clock.now().getTime() + 1);
  const from = new Date(to.getTime() - LOOK_BACK_MS);
  const said = await evaluationsBetween(flow.db, { service, environment, from, to });
  const named = said
    .filter(({ rule, state }) => state === 'firing' && NAMING.includes(rule))
    .flatMap(({ detail }) => offenderIn(detail) ?? []);
  return named.at(-1) ?? null;
}
