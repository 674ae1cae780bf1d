import { mkdirSync } from 'node:fs';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { openDatabase } from '../../db/database.ts';
import { InputError, messageOf } from '../../errors.ts';
import { targetOf } from '../../mitigation/targets/all-targets.ts';
import { configuredSource } from '../../sources/all-sources.ts';
import type { Pager } from '../page/pager-port.ts';
import type { Chat } from '../ports.ts';
import { examinePager } from './examine-pager.ts';
import { completeness, examinePeople, examineSource, examineTarget } from './examine-services.ts';
import { type Finding, note, ok, problem, reportOf } from './finding.ts';

/** `isIn`: the token works, so that others can be asked about. */
export interface ExaminedSlack {
  findings: Finding[];
  isIn: boolean;
}

/** What whoever composes has. */
export interface Composed {
  /** Throws InputError with every problem of environment and file. */
  load(): Config;
  /** What Slack says of token, scopes and channels, and the chat that people are looked up by. */
  slack(config: Config): { examine(): Promise<ExaminedSlack>; chat: Chat };
  pager(config: Config): { pager: Pager | null; webhookSecrets: number };
}

/** Looks at everything that an incident will need, changes nothing, and prints a line each. 1 when something is wrong. */
export async function runDoctor(composed: Composed): Promise<number> {
  const findings = await examine(composed);
  console.log(reportOf(findings));
  return findings.some(({ level }) => level === 'problem') ? 1 : 0;
}

export async function examine(composed: Composed): Promise<Finding[]> {
  const config = loaded(composed);
  if (Array.isArray(config)) return config;
  const { pager, webhookSecrets } = composed.pager(config);
  const slackThere = composed.slack(config);
  const { services } = config.file;
  const { findings: slack, isIn } = await slackThere.examine();
  const rest = await Promise.all([
    examineDatabase(config),
    isIn ? examinePeople(slackThere.chat, peopleIn(config)) : [],
    examinePager(pager, { services, webhookSecrets }),
    examineTargets(config),
    examineSources(config),
  ]);
  return [
    ok('configuration', `${Object.keys(services).length} services`),
    ...named(config),
    ...slack,
    ...rest.flat(),
  ];
}

function loaded({ load }: Composed): Config | Finding[] {
  try {
    return load();
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    return thrown.problems.map((text) => problem('configuration', text));
  }
}

/** What can be said without asking anybody. */
function named({ tokens: given, file }: Config): Finding[] {
  const lead = file.contacts.engineering_lead;
  const services = Object.entries(file.services).flatMap(([name, one]) => completeness(name, one, lead));
  const bearer =
    given.length === 0
      ? [note('configuration', 'LLM_INCIDENT_TOKENS is not set: calls, alerts and metrics are answered 401')]
      : [];
  return [...bearer, ...services];
}

/** Slack ids of people and groups; who is on call by a policy is no id. */
function peopleIn({ file }: Config): string[] {
  const named = Object.values(file.services).flatMap(({ owner, approvers }) => [
    ...(owner === undefined ? [] : [owner]),
    ...approvers.filter((one) => typeof one === 'string'),
  ]);
  return [...named, ...Object.values(file.contacts).flat()];
}

/** Policy: the embedded database that a bot holds is well: nobody else may open it. */
async function examineDatabase({ env }: Config): Promise<Finding[]> {
  const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = env;
  try {
    mkdirSync(dataDir, { recursive: true });
    const { db, kind, close } = await openDatabase({ databaseUrl, dataDir });
    try {
      await db.selectNoFrom((one) => one.lit(1).as('one')).execute();
    } finally {
      await close();
    }
    return [ok('database', kind === 'embedded' ? `embedded, in ${dataDir}` : 'Postgres answers')];
  } catch (thrown) {
    if (thrown instanceof InputError) return [ok('database', 'embedded, held by a bot that is running')];
    const cure = databaseUrl === undefined ? 'Check DATA_DIR.' : 'Check DATABASE_URL.';
    return [problem('database', `${messageOf(thrown)}. ${cure}`)];
  }
}

async function examineTargets({ file }: Config): Promise<Finding[]> {
  const { environment, services } = file;
  const looked = Object.entries(services).map(async ([service, { target }]) => {
    if (target === undefined) return [];
    if (target.type === 'built-in') return [ok(`target of ${service}`, 'the bot itself')];
    const builtIn = () => {
      throw new Error('the built-in target is not read');
    };
    return examineTarget(service, targetOf(target, { service, environment, builtIn }));
  });
  return (await Promise.all(looked)).flat();
}

async function examineSources({ file }: Config): Promise<Finding[]> {
  const { environment, services } = file;
  const now = new Date();
  const looked = Object.entries(file.sources).map(async ([name, config]) => {
    const source = configuredSource(name, config, { services, environment, clock: systemClock });
    const its = Object.keys(services).filter((service) => services[service]?.source === name);
    try {
      return await examineSource(source, { services: its, environment, now });
    } finally {
      await source.close?.();
    }
  });
  return (await Promise.all(looked)).flat();
}
