import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ExternalError, InputError, messageOf } from '../../errors.ts';
import type { ContainReport, ContainRequest } from './contain-at-once.ts';

/** In DATA_DIR: where the bot is, for the terminal of the same machine. */
export const TERMINAL_FILE = 'terminal.json';

const USAGE = `Usage: npm run contain -- SERVICE --reason TEXT [--safety] [--by NAME] [--json]
   disables the feature, or instead:
   --known-good            back to what was served well before it began
   --fallback MODE         cached, simple, notice or queue
   --type TYPE             stops answering queries of this type
   --limit "user NAME PER_MINUTE"   or session, or endpoint
   --cap TOKENS            caps the output tokens
   --block PHRASE          holds back outputs with it
   It only takes from users. With --safety the incident is private; the reason is for its room alone.`;

const options = {
  reason: { type: 'string' },
  by: { type: 'string' },
  json: { type: 'boolean', default: false },
  safety: { type: 'boolean', default: false },
  'known-good': { type: 'boolean', default: false },
  fallback: { type: 'string' },
  type: { type: 'string' },
  limit: { type: 'string' },
  cap: { type: 'string' },
  block: { type: 'string' },
} as const;

type Values = ReturnType<typeof optionsOf>['values'];

/** What an option is for `mitigate`. */
const WISHES: Partial<Record<keyof Values, string>> = {
  'known-good': 'known-good',
  fallback: 'fallback',
  type: 'disable',
  limit: 'limit',
  cap: 'cap',
  block: 'block',
};

/** The ways to have it done, the nearest first. `null`: that way is not there. */
export interface Ways {
  /** The file in which a bot that is up says where it is. */
  botFile: string;
  /** By this process itself, on the bot's database. */
  alone(request: ContainRequest): Promise<ContainReport>;
  /** Where a person switches it at the vendor, when nothing else is left. */
  byHand(service: string): string | null;
}

/**
 * `contain SERVICE --reason TEXT …`: through the bot that is up, else on its database, else the vendor's switch is named.
 * Returns the exit code: 0 only when the read-back shows it. Throws InputError for wrong arguments.
 */
export async function runContain(args: string[], ways: Ways): Promise<number> {
  const { values, positionals } = optionsOf(args);
  const request = requestOf(values, positionals);
  const report = await oneOf(ways, request);
  console.log(values.json ? JSON.stringify(report) : inWords(request, report));
  return report.contained ? 0 : 1;
}

function optionsOf(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (thrown) {
    throw new InputError([messageOf(thrown), USAGE]);
  }
}

function requestOf(values: Values, positionals: string[]): ContainRequest {
  const [service, ...more] = positionals;
  const { reason = '', by = userInfo().username } = values;
  const empty = Object.keys(WISHES).find((name) => values[name as keyof Values] === '');
  if (empty !== undefined) throw new InputError([`--${empty} is empty: say what it is about.`, USAGE]);
  const chosen = Object.entries(WISHES).filter(([name]) => given(values[name as keyof Values]));
  if (service === undefined || more.length > 0 || reason.trim() === '' || chosen.length > 1)
    throw new InputError([USAGE]);
  const [name, word] = chosen[0] ?? [];
  const argument = name === undefined ? '' : values[name as keyof Values];
  const wish = word === undefined ? 'disable' : `${word} ${argument === true ? '' : argument}`.trim();
  return { service, wish, reason: reason.trim(), by, safety: values.safety };
}

const given = (value: string | boolean | undefined) => value !== undefined && value !== false;

async function oneOf(ways: Ways, request: ContainRequest): Promise<ContainReport> {
  const problems: string[] = [];
  try {
    return await throughBot(ways.botFile, request);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    problems.push(thrown.message);
    // It was asked and may be at it: the same command again asks what became of it.
    if (thrown.outcomeUnknown) return { ...NOT_RUN, said: problems.join(' ') };
  }
  try {
    return await ways.alone(request);
  } catch (thrown) {
    problems.push(messageOf(thrown));
  }
  return { ...NOT_RUN, said: problems.join(' '), byHand: handOf(ways, request.service, problems) };
}

function handOf(ways: Ways, service: string, problems: string[]): string | null {
  try {
    return ways.byHand(service);
  } catch (thrown) {
    problems.push(messageOf(thrown));
    return null;
  }
}

const access = z.object({ url: z.url(), token: z.string() });
const report = z.object({
  contained: z.boolean(),
  incident: z.string().nullable(),
  mitigation: z.number().nullable(),
  status: z.string(),
  planHash: z.string().nullable(),
  plan: z.object({ changes: z.string(), blastRadius: z.string(), undo: z.string() }).nullable(),
  said: z.string(),
  byHand: z.string().nullable(),
});

const NOT_RUN: ContainReport = {
  contained: false,
  incident: null,
  mitigation: null,
  status: 'not-run',
  planHash: null,
  plan: null,
  said: '',
  byHand: null,
};

const ALIVE_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 45_000;

/** Throws ExternalError; `outcomeUnknown` when the bot was asked and did not answer. */
async function throughBot(file: string, request: ContainRequest): Promise<ContainReport> {
  const away = (said: string, outcomeUnknown = false) =>
    new ExternalError(said, { service: 'bot', retryable: true, outcomeUnknown });
  if (!existsSync(file)) throw away('No bot is up here.');
  const { url, token } = access.parse(JSON.parse(readFileSync(file, 'utf8')));
  const isAlive = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ALIVE_WITHIN_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!isAlive) throw away(`The bot at ${url} does not answer.`);
  const answer = await fetch(`${url}/v1/contain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((thrown: unknown) => {
    throw away(`The bot was asked and did not answer (${messageOf(thrown)}): ask again.`, true);
  });
  if (!answer.ok) throw away(`The bot answered ${answer.status}: ${(await answer.text()).slice(0, 500)}.`);
  return report.parse(await answer.json()) as ContainReport;
}

/** For the person at the terminal, the outcome first. */
function inWords({ service, by }: ContainRequest, { plan, ...done }: ContainReport): string {
  const { contained, incident, mitigation, planHash, said, byHand } = done;
  const lines = [
    `${service} is ${contained ? 'contained' : 'NOT contained'}${incident === null ? '' : ` (${incident})`}. ${said}`,
    plan === null ? null : `Plan: ${plan.changes}. Who is affected: ${plan.blastRadius}`,
    plan === null ? null : `To undo it: ${plan.undo}.`,
    planHash === null
      ? null
      : `Mitigation ${mitigation}, plan ${planHash.slice(0, 12)}, by terminal:${by}, to be reviewed.`,
    contained ? null : `By hand: ${byHand ?? `switch ${service} off where it runs`}`,
  ];
  return lines.filter((line) => line !== null).join('\n');
}
