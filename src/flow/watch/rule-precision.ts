import { subDays } from 'date-fns';
import { ruleRecords } from '../../postmortem/response-time-store.ts';
import { describeRuleRecord, precisionOf } from '../../postmortem/response-times.ts';
import type { Flow } from '../flow.ts';

const DAYS = 30;

/** How often each rule was right in the last 30 days, in a line each; what is private by category is left out. */
export async function rulesNow(flow: Pick<Flow, 'db' | 'clock'>): Promise<string[]> {
  const now = flow.clock.now();
  const records = await ruleRecords(flow.db, { since: subDays(now, DAYS), until: now });
  return records
    .filter(({ rule }) => !rule.startsWith('safety.'))
    .map((record) => `${describeRuleRecord(record)}; ${Math.round(precisionOf(record) * 100)} % right`);
}
