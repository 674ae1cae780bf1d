import { subDays } from 'date-fns';
import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { ruleRecords } from '../../postmortem/response-time-store.ts';
import { tellOps } from '../effects.ts';

const WITHIN_DAYS = 30;
const FALSE_ALARMS = 3;

/**
 * Policy: a rule that was a false alarm three times in 30 days for the same service is named in the ops channel, once,
 * with what can be done about it; a private incident is not counted aloud.
 */
export async function suggestTuning(tx: Tx, incident: Incident, now: Date): Promise<void> {
  const { rule, service, environment, source } = incident;
  if (source !== 'rule' || rule === null || service === null || incident.private || incident.drill) return;
  const period = { since: subDays(now, WITHIN_DAYS), until: new Date(now.getTime() + 1), service };
  const record = (await ruleRecords(tx, period)).find((one) => one.rule === rule);
  if (record === undefined || record.declined < FALSE_ALARMS) return;
  const { declined, opened } = record;
  const what = `${rule} opened ${opened} incidents about ${service} in ${WITHIN_DAYS} days, and ${declined} of them were false alarms.`;
  const cure = rule.startsWith('alertmanager/')
    ? 'Its threshold is in Alertmanager.'
    : `Raise its threshold, or let it run in shadow, under services.${service}.rules; \`npm run backtest\` shows what that would have opened.`;
  await enqueue(
    tx,
    tellOps({ key: `false-alarms:${environment}/${service}/${rule}`, text: `${what} ${cure}` }, now),
  );
}
