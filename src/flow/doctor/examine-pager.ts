import type { ServiceConfig } from '../../config/config-file.ts';
import type { Pager } from '../page/pager-port.ts';
import { type Finding, found, note, ok, problem } from './finding.ts';

const ABOUT = 'PagerDuty';
const CURE = 'Check the token, its scopes and PAGERDUTY_FROM.';

/** Who would be paged, asked as a page would; nobody is. */
export async function examinePager(
  pager: Pager | null,
  about: { services: Readonly<Record<string, ServiceConfig>>; webhookSecrets: number },
): Promise<Finding[]> {
  if (pager === null) return [note(ABOUT, 'is not configured: nobody is paged, and the room says so')];
  const webhooks =
    about.webhookSecrets > 0
      ? ok(ABOUT, 'a webhook secret is set')
      : note(
          ABOUT,
          'no webhook secret: what happens there is seen every five minutes; set PAGERDUTY_WEBHOOK_SECRET',
        );
  const asked = await Promise.all(
    Object.entries(about.services).map(([name, service]) => ofService(pager.of(name), name, service)),
  );
  return [webhooks, ...(await acting(pager)), ...asked.flat()];
}

/** Policy: PagerDuty takes what is opened in the name of a user only when there is one. */
function acting(pager: Pager): Promise<Finding[]> {
  if (!pager.canAsk)
    return Promise.resolve([note(ABOUT, 'a routing key alone: policies are paged, nobody by name')]);
  return found(ABOUT, CURE, async () => {
    const self = await pager.self();
    return self === null
      ? [problem(ABOUT, 'PAGERDUTY_FROM is no user of this account. Name one who is never on call.')]
      : [ok(ABOUT, `acts as ${self.name}`)];
  });
}

function ofService(pager: Pager, name: string, { pagerduty }: ServiceConfig): Promise<Finding[]> {
  const policy = pagerduty?.escalation_policy;
  const about = `${ABOUT} for ${name}`;
  if (policy === undefined || !pager.canAsk) return Promise.resolve([]);
  return found(about, CURE, async () => {
    const first = (await pager.onCall(policy)).filter(({ level }) => level === 1);
    return first.length === 0
      ? [problem(about, `nobody is on call by policy ${policy}: a page would reach no one`)]
      : [ok(about, `on call now: ${first.map((one) => one.name).join(', ')}`)];
  });
}
