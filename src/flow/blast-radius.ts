import type { Plan } from '../mitigation/plan.ts';
import { kindOf, subjectOf } from '../mitigation/serving.ts';
import { servedSince } from '../sources/call-statistics-store.ts';
import { callsBy, callsOfType } from '../sources/effect-store.ts';
import type { Flow } from './flow.ts';

const LOOK_BACK_MS = 60 * 60_000;

/** How much of the service's traffic of the last hour the change touches, and which prompts depend on it. */
export async function blastRadius(
  flow: Pick<Flow, 'db' | 'clock'>,
  { service, environment, steps }: Pick<Plan, 'service' | 'environment' | 'steps'>,
): Promise<string> {
  const to = flow.clock.now();
  const window = { service, environment, from: new Date(to.getTime() - LOOK_BACK_MS), to };
  const variants = await servedSince(flow.db, { service, environment, since: window.from });
  const calls = variants.reduce((total, variant) => total + variant.n, 0);
  const [only, ...more] = steps;
  const subject = only === undefined ? null : subjectOf(only.setting);
  if (only !== undefined && more.length === 0 && subject !== null) {
    switch (kindOf(only.setting)) {
      case 'limit': {
        const { n, hits } = await callsBy(flow.db, { ...window, subject });
        return `${subject} alone: ${hits} of ${n} calls of ${service} in the last hour.`;
      }
      case 'type': {
        const { n } = await callsOfType(flow.db, { ...window, type: subject });
        return `Queries of type ${subject} alone: ${n} of ${calls} calls of ${service} in the last hour.`;
      }
      case 'split':
        return `${String(only.to)} % of the traffic of ${service}: ${calls} calls in the last hour.`;
      default:
    }
  }
  const prompts = [...new Set(variants.flatMap(({ promptName }) => promptName ?? []))];
  const isOfModel = steps.some(({ setting }) => kindOf(setting) === 'model');
  const dependent = isOfModel && prompts.length > 1 ? ` Prompts that use it: ${prompts.join(', ')}.` : '';
  return `All traffic of ${service}: ${calls} calls in the last hour.${dependent}`;
}
