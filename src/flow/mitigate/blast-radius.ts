import { percent } from '../../detection/amount.ts';
import type { Plan, Step } from '../../mitigation/plan.ts';
import { kindOf, subjectOf } from '../../mitigation/serving.ts';
import type { CallWindow } from '../../sources/call-statistics-store.ts';
import { callsBy, callsOfType, tokensAboveCap } from '../../sources/effect-store.ts';
import { usersIn, type VariantTotals, variantsIn } from '../../sources/variant-store.ts';
import type { Flow } from '../flow.ts';
import { costChange, type LastHour } from './cost-change.ts';

const LOOK_BACK_MS = 60 * 60_000;

type About = Pick<Plan, 'service' | 'environment' | 'steps' | 'shift'>;

/**
 * How much of the service's traffic of the last hour the change touches, how many users, which prompts depend on it, and
 * what it costs or saves where that can be told; what cannot be told is left out.
 */
export async function blastRadius(flow: Pick<Flow, 'db' | 'clock'>, about: About): Promise<string> {
  const { service, environment } = about;
  const to = flow.clock.now();
  const window = { service, environment, from: new Date(to.getTime() - LOOK_BACK_MS), to };
  const variants = await variantsIn(flow.db, window);
  const hour = { window, variants, calls: sumOf(variants) };
  const scope = (await ofOneThing(flow, about, hour)) ?? (await ofTraffic(flow, about, hour));
  const cost = await costChange(flow.db, about, hour);
  return [scope, dependentOn(about, variants), cost].filter((part) => part !== null).join(' ');
}

const sumOf = (variants: readonly VariantTotals[]) => variants.reduce((total, { n }) => total + n, 0);

/** What touches one user, endpoint, query type or cap alone; null for everything else. */
async function ofOneThing(
  { db }: Pick<Flow, 'db'>,
  { service, steps: [only, ...more] }: About,
  { window, calls }: LastHour,
): Promise<string | null> {
  if (only === undefined || more.length > 0) return null;
  const subject = subjectOf(only.setting) ?? '';
  const share = (hits: number, n: number) =>
    `${hits} of ${n} calls of ${service} in the last hour${n === 0 ? '' : ` (${percent(hits / n)})`}.`;
  switch (kindOf(only.setting)) {
    case 'limit': {
      const { n, hits } = await callsBy(db, { ...window, subject });
      if (!subject.startsWith('each ')) return `${subject} alone: ${share(hits, n)}`;
      const most = `the busiest made ${hits} of ${n} calls in the last hour`;
      return `${capital(subject)} of ${service} without a limit by name; ${most}.`;
    }
    case 'type': {
      const { n } = await callsOfType(db, { ...window, type: subject });
      return `Queries of type ${subject} alone: ${share(n, calls)}`;
    }
    case 'token-cap':
      return only.to === null ? null : ofCap(db, only, window);
    default:
      return null;
  }
}

async function ofCap(db: Flow['db'], { to }: Step, window: CallWindow): Promise<string | null> {
  const { n, hits, tokens, beyond } = await tokensAboveCap(db, { ...window, cap: Number(to) });
  if (n === 0) return null;
  const taken = tokens === 0 ? '' : `; ${percent(beyond / tokens)} of all output tokens were beyond it`;
  return `${hits} of ${n} outputs of ${window.service} in the last hour were longer than that${taken}.`;
}

async function ofTraffic(flow: Pick<Flow, 'db'>, about: About, hour: LastHour): Promise<string> {
  const { service, steps, shift } = about;
  const { window, variants, calls } = hour;
  const { users, named } = await usersIn(flow.db, window);
  const by = named === 0 ? '' : ` by ${users} ${users === 1 ? 'user' : 'users'}`;
  const traffic = `${calls} calls${by} in the last hour`;
  const [only, ...more] = steps;
  if (shift !== null) return `All traffic of ${service}, by ${shift.stages.join(' → ')} %: ${traffic}.`;
  if (only !== undefined && more.length === 0 && kindOf(only.setting) === 'split')
    return `${String(only.to)} % of the traffic of ${service}: ${traffic}.`;
  const prompt = promptAlone(steps);
  const ofPrompt = variants.filter(({ promptName }) => promptName === prompt);
  if (prompt === null || ofPrompt.length === 0 || ofPrompt.length === variants.length)
    return `All traffic of ${service}: ${traffic}.`;
  const n = sumOf(ofPrompt);
  return `Prompt ${prompt} alone: ${n} of ${calls} calls of ${service} in the last hour (${percent(n / calls)}).`;
}

function promptAlone([only, ...more]: readonly Step[]): string | null {
  const isPrompt = only !== undefined && more.length === 0 && kindOf(only.setting) === 'prompt';
  return isPrompt ? subjectOf(only.setting) : null;
}

function dependentOn({ steps }: About, variants: readonly VariantTotals[]): string | null {
  const prompts = [...new Set(variants.flatMap(({ promptName }) => promptName ?? []))];
  const isOfModel = steps.some(({ setting }) => kindOf(setting) === 'model');
  return isOfModel && prompts.length > 1 ? `Prompts that use it: ${prompts.join(', ')}.` : null;
}

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
