import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ConfigFile, readConfigFile } from '../../config/config-file.ts';
import type { RehearsalConfig } from '../../config/rehearsal.ts';
import type { Db } from '../../db/database.ts';
import { ExternalError, InputError, messageOf } from '../../errors.ts';
import { sha256Of } from '../../evidence/digest.ts';
import type { Candidate } from '../../mitigation/candidate.ts';
import { type PromptTexts, textKey } from '../../mitigation/served.ts';
import { readPromptTexts } from '../../mitigation/serving-store.ts';
import { readCases } from '../../postmortem/case-import.ts';
import { provenCasesOf } from '../../postmortem/case-store.ts';
import type { EvalCase } from '../../postmortem/eval-case.ts';
import { countingCases, type Immunity } from '../../postmortem/immunity.ts';
import { servedNow } from '../mitigate/rehearsal-config.ts';
import { replayBudgetOfRun } from '../mitigate/replay-budget.ts';
import { replayCases } from './replay-cases.ts';
import { MOST_CASES } from './try-immunity.ts';

const USAGE = `Usage: npm run immunity -- --service NAME --candidate WHAT… [--cases FILE…] [--json]
   WHAT is prompt=VERSION, prompt=NAME=VERSION, model=ID, file=PATH or file=NAME=PATH (the text of a prompt)
   FILE is evals.yaml or JSON Lines as exported; without one the cases are those of the bot's database
   exit code 0: none returns; 1: the incidents that are named would return; 2: it could not be told`;

const options = {
  service: { type: 'string' },
  candidate: { type: 'string', multiple: true, default: [] as string[] },
  cases: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
} as const;

/** Opens the bot's database for as long as `use` takes; asked only where no file of cases is given. */
export type WithDatabase = <T>(use: (db: Db) => Promise<T>) => Promise<T>;

interface Wanted {
  service: string;
  /** In the order of the command line; each `kind=value`. */
  candidate: readonly { kind: 'prompt' | 'model' | 'file'; value: string }[];
  files: readonly string[];
  json: boolean;
}

interface Known {
  cases: EvalCase[];
  /** What is served now, as far as that is known. */
  base: Candidate;
  texts: PromptTexts;
}

/**
 * `immunity --service NAME --candidate …`: replays the proven cases of past incidents against a prompt or model that is
 * not served yet. Returns the exit code, and throws nothing.
 */
export async function runImmunity(
  args: string[],
  { env, withDatabase }: { env: NodeJS.ProcessEnv; withDatabase: WithDatabase },
): Promise<number> {
  try {
    const wanted = readWanted(args);
    const config = configOf(env);
    const rehearsal = rehearsalOf(config, wanted.service);
    const known = await knownOf(config, wanted, withDatabase);
    const { candidate, texts } = candidateFrom(wanted, known);
    const cases = countingCases(known.cases, wanted.service);
    const { environment } = config;
    const result = await replayCases({
      ...{ service: wanted.service, environment, config: rehearsal, cases, candidate, texts },
      budget: replayBudgetOfRun(rehearsal),
      sendsTexts: true,
    });
    console.log(wanted.json ? asJson(wanted, candidate, result) : inWords(wanted, result));
    return exitCode(result);
  } catch (thrown) {
    const isExpected = thrown instanceof InputError || thrown instanceof ExternalError;
    // Exit code 1 means that an incident would return, so nothing else may end with it.
    console.error(isExpected ? thrown.message : thrown);
    return 2;
  }
}

/** Policy: what returns is worse than what could not be told; a gate that could not tell does not pass. */
function exitCode({ returning, unanswered }: Immunity): number {
  if (returning.length > 0) return 1;
  return unanswered > 0 ? 2 : 0;
}

function readWanted(args: string[]): Wanted {
  const { values, positionals } = optionsOf(args);
  const { service, json } = values;
  if (service === undefined || values.candidate.length === 0) throw new InputError([USAGE]);
  const candidate = values.candidate.map((text) => {
    const [, kind, value] = /^(prompt|model|file)=(.+)$/s.exec(text) ?? [];
    if (kind === undefined || value === undefined)
      throw new InputError([`--candidate ${text}: must be prompt=VERSION, model=ID or file=PATH`, USAGE]);
    return { kind: kind as 'prompt' | 'model' | 'file', value };
  });
  // A shell that expands *.jsonl leaves all but the first behind the option.
  const files = values.cases.length === 0 ? [] : [...values.cases, ...positionals];
  if (files.length === 0 && positionals.length > 0) throw new InputError([USAGE]);
  return { service, candidate, files, json };
}

function optionsOf(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (thrown) {
    throw new InputError([messageOf(thrown), USAGE]);
  }
}

const UNSET = 'not-set';

/** Policy: only the secrets of the rehearsal endpoint must be set; a pipeline has no business with the others. */
function configOf(env: NodeJS.ProcessEnv): ConfigFile {
  const path = env['LLM_INCIDENT_CONFIG'] || 'llm-incident.yaml';
  const known: NodeJS.ProcessEnv = new Proxy(env, {
    get: (of, name) => Reflect.get(of, name) || UNSET,
  });
  try {
    return readConfigFile(path, known);
  } catch (thrown) {
    if (thrown instanceof InputError) throw thrown;
    throw new InputError([
      `${path} cannot be read: ${messageOf(thrown)}. LLM_INCIDENT_CONFIG names another.`,
    ]);
  }
}

function rehearsalOf({ services }: ConfigFile, service: string): RehearsalConfig {
  const found = services[service];
  if (found === undefined)
    throw new InputError([`--service ${service}: is none of ${Object.keys(services).join(', ') || 'none'}`]);
  const { rehearsal } = found;
  if (rehearsal === undefined)
    throw new InputError([`services.${service}.rehearsal: is not declared, so nothing can be replayed`]);
  const secret = rehearsal.type === 'webhook' ? rehearsal.secret : rehearsal.token;
  if (secret === UNSET || rehearsal.url.includes(UNSET))
    throw new InputError([`services.${service}.rehearsal: an environment variable that it names is not set`]);
  return rehearsal;
}

async function knownOf(config: ConfigFile, wanted: Wanted, withDatabase: WithDatabase): Promise<Known> {
  const { service, files } = wanted;
  const { environment } = config;
  if (files.length > 0) {
    const cases = files.flatMap((path) => readCases(textOf(path), path));
    const base = { prompts: {}, model: null };
    return { cases, base, texts: textsOf(service, config) };
  }
  return withDatabase(async (db) => {
    const found = await provenCasesOf(db, { service, environment, limit: MOST_CASES });
    return {
      cases: found.map(({ definition }) => definition),
      base: await servedNow({ db }, { service, environment }, new Date()),
      texts: new Map([...(await readPromptTexts(db)), ...textsOf(service, config)]),
    };
  });
}

/** The texts that the configuration itself holds. */
function textsOf(service: string, { services }: ConfigFile): PromptTexts {
  const declared = services[service]?.serving.prompt_texts ?? [];
  return new Map(
    declared.flatMap(({ name = '', version, text }) =>
      text === undefined ? [] : [[textKey(service, name, version), { sha256: sha256Of(text), text }]],
    ),
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new InputError([`${path} cannot be read: ${messageOf(thrown)}`]);
  }
}

/** Policy: a prompt that is not named is the one that the cases are about; of several one must be named. */
function candidateFrom(
  { service, candidate }: Wanted,
  known: Known,
): Pick<Known, 'texts'> & { candidate: Candidate } {
  const names = [...new Set(known.cases.map(({ promptName }) => promptName ?? ''))];
  const texts = new Map(known.texts);
  const prompts: Record<string, string> = { ...known.base.prompts };
  let { model } = known.base;
  for (const { kind, value } of candidate) {
    if (kind === 'model') {
      model = value;
      continue;
    }
    const [, named, rest] = /^([^=/\\]*)=(.+)$/s.exec(value) ?? [];
    const name = named ?? theOnly(names, kind);
    const given = rest ?? value;
    prompts[name] = kind === 'prompt' ? given : withText(texts, { service, name, path: given });
  }
  return { candidate: { prompts, model }, texts };
}

function theOnly(names: readonly string[], kind: string): string {
  if (names.length < 2) return names[0] ?? '';
  const such = names.filter((name) => name !== '').join(', ');
  throw new InputError([
    `--candidate ${kind}=: the cases are about several prompts (${such}): name one, as in ${kind}=NAME=…`,
  ]);
}

/** A text that has no version yet is named by its digest. */
function withText(
  texts: Map<string, { sha256: string; text: string | null }>,
  { service, name, path }: { service: string; name: string; path: string },
): string {
  const text = textOf(path);
  const sha256 = sha256Of(text);
  const version = `sha256-${sha256.slice(0, 12)}`;
  texts.set(textKey(service, name, version), { sha256, text });
  return version;
}

function asJson({ service }: Wanted, candidate: Candidate, result: Immunity): string {
  return JSON.stringify({ service, candidate, ...result });
}

function inWords({ service, candidate }: Wanted, result: Immunity): string {
  const what = candidate.map(({ kind, value }) => `${kind}=${value}`).join(', ');
  if (result.cases === 0) return `${service} with ${what}: no proven case of a past incident to try.`;
  const lines = [
    `${service} with ${what}: ${result.passed} of ${result.cases} cases of past incidents pass.`,
    ...result.returning.flatMap(({ incident, cases }) => [
      `${incident} would return:`,
      ...cases.map(({ call, description, why }) => `  - call ${call}: ${description} Failed: ${why}.`),
    ]),
    ...(result.unanswered === 0
      ? []
      : [`${result.unanswered} could not be told: ${result.problems.join('; ')}.`]),
  ];
  return lines.join('\n');
}
