import type { ServiceConfig } from '../../config/config-file.ts';
import { ExternalError } from '../../errors.ts';
import type { Target } from '../../mitigation/target.ts';
import type { MetricSource, Question } from '../../sources/metric-source.ts';
import type { Chat } from '../ports.ts';
import { type Finding, found, note, ok, problem } from './finding.ts';

/** Policy: what an incident of a service would lack: somebody who may approve is a must, all else is said. */
export function completeness(name: string, service: ServiceConfig, owners: readonly string[]): Finding[] {
  const about = `service ${name}`;
  const { owner, approvers, target, pagerduty } = service;
  const missing = [
    ...(owner === undefined ? ['owner'] : []),
    ...(target === undefined ? ['target, so that mitigations are carried out by hand'] : []),
    ...(pagerduty?.service === undefined ? ['pagerduty.service'] : []),
  ].map((key) => note(about, `has no ${key}`));
  const nobody = owner === undefined && approvers.length === 0 && owners.length === 0;
  if (nobody)
    return [
      ...missing,
      problem(about, 'nobody may approve: name its owner or approvers, or contacts.engineering_lead'),
    ];
  return missing.length === 0
    ? [ok(about, 'owner, approvers, target and PagerDuty service are named')]
    : missing;
}

/** Reads what the target serves, as every look of the bot does; nothing is changed. */
export function examineTarget(service: string, target: Target): Promise<Finding[]> {
  const about = `target of ${service}`;
  return found(
    about,
    'Check its address, its secret or token, and that this machine reaches it.',
    async () => {
      const state = await target.read();
      const served = Object.entries(state).map(([setting, value]) => `${setting} ${value ?? 'none'}`);
      return [
        ok(about, `${target.describe()} serves ${served.slice(0, 4).join(', ') || 'nothing that it names'}`),
      ];
    },
  );
}

const WINDOW_MS = 15 * 60_000;

/** Asks a source for the error rates of its services: it is reachable, or says what is wrong with a query. */
export function examineSource(
  source: MetricSource,
  { services, environment, now }: { services: readonly string[]; environment: string; now: Date },
): Promise<Finding[]> {
  const about = `source ${source.name}`;
  const window = { from: new Date(now.getTime() - WINDOW_MS), to: now };
  const questions = services.map(
    (service): Question => ({
      ...window,
      service,
      environment,
      rule: 'outage.errors',
      measure: 'errors',
      isBaseline: false,
    }),
  );
  if (questions.length === 0) return Promise.resolve([note(about, 'no service names it')]);
  return found(about, 'Check its address and its access.', async () => {
    const answers = await source.read(questions, now);
    const wrong = answers.flatMap((answer, at) =>
      answer.kind === 'problem' ? [problem(about, `${services[at]}: ${answer.problem}`)] : [],
    );
    return wrong.length > 0 ? wrong : [ok(about, `answers for ${services.join(', ')}`)];
  });
}

/** People and groups that the configuration names, each as Slack knows it. */
export async function examinePeople(chat: Chat, ids: readonly string[]): Promise<Finding[]> {
  const unknown: Finding[] = [];
  for (const id of new Set(ids)) {
    const ask = id.startsWith('S') ? chat.membersOfGroup(id) : chat.displayName(id);
    const outcome = await ask.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (outcome === null) continue;
    if (!(outcome instanceof ExternalError)) throw outcome;
    unknown.push(problem('people', `${id}: ${outcome.message}. Correct the id in the configuration.`));
  }
  return unknown.length > 0 ? unknown : [ok('people', `Slack knows all ${new Set(ids).size} that are named`)];
}
