import { minutesBetween } from '../../decision/characteristic.ts';
import { type CostKind, type CostVerdict, costKind, type Usage } from '../../decision/cost-kind.ts';
import type { CallWindow } from '../../sources/call-statistics-store.ts';
import { safetyToll, usedCalls } from '../../sources/usage-store.ts';
import type { About } from '../incident/about-incident.ts';
import type { Investigation, Looking } from './investigation.ts';

/** A violation as late as this says that they still come. */
const STILL_MS = 10 * 60_000;
const BEFORE_ONSET_MS = 10 * 60_000;

/** Injection attack, loop or load, by the calls since it began and those of the day before. */
export async function kindOfCost(flow: Looking, { window, baseline }: About): Promise<CostVerdict> {
  return costKind({ now: await usageIn(flow, window), before: await usageIn(flow, baseline) });
}

async function usageIn(flow: Looking, window: CallWindow): Promise<Usage> {
  const minutes = (window.to.getTime() - window.from.getTime()) / 60_000;
  return { minutes, ...(await usedCalls(flow.db, window)) };
}

const KIND_WORDS: Readonly<Record<CostKind, string>> = {
  injection: 'It looks like an injection attack',
  loop: 'It looks like a runaway loop',
  load: 'It looks like legitimate load',
  unclear: 'The calls do not tell which kind it is',
};

/** The same look at the calls, asked for one kind. */
export function costFinding(kind: Exclude<CostKind, 'unclear'>): Investigation {
  return async (flow, _incident, about) => {
    const verdict = await kindOfCost(flow, about);
    const says = verdict.kind === 'unclear' ? null : verdict.kind === kind ? 'yes' : 'no';
    return { text: `${KIND_WORDS[verdict.kind]}: ${verdict.because.join('; ')}.`, says };
  };
}

export const safetyEvents: Investigation = async (flow, _incident, about) => {
  const now = flow.clock.now();
  const from = new Date(about.window.from.getTime() - BEFORE_ONSET_MS);
  const { n, lastAt, rules } = await safetyToll(flow.db, {
    ...about.service,
    from,
    to: new Date(now.getTime() + 1),
  });
  if (lastAt === null) return { text: 'The calls show no violation; it was said by a person.', says: null };
  const text = `${n} ${n === 1 ? 'violation' : 'violations'} (${rules.join(', ')}), the last ${minutesBetween(lastAt, now)} ago.`;
  return { text, says: now.getTime() - lastAt.getTime() <= STILL_MS ? 'yes' : 'no' };
};

export const exposedUsers: Investigation = async (flow, _incident, about) => {
  const from = new Date(about.window.from.getTime() - BEFORE_ONSET_MS);
  const to = new Date(flow.clock.now().getTime() + 1);
  const { n, users, unnamed } = await safetyToll(flow.db, { ...about.service, from, to });
  if (n === 0) return { text: 'The calls show nobody who received one.', says: null };
  const rest = unnamed === 0 ? '' : `; ${unnamed} went to calls that name no user`;
  return {
    text: `${users} named ${users === 1 ? 'user' : 'users'} received them${rest}.`,
    says: unnamed === 0 ? 'yes' : 'no',
  };
};
