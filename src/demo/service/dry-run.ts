import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { createRandom } from '../../random.ts';
import { parseJson, sendJson } from '../loopback-server.ts';
import { answerAbout, countTokens } from './simulated-answers.ts';
import { ALIAS, behaviourOf, costUsdOf, JUNE, MARCH, PROMPT, TEMPLATES } from './simulated-calls.ts';
import { isSigned } from './simulated-control.ts';

const question = z.object({
  service: z.string(),
  environment: z.string(),
  dry_run: z.literal(true),
  input: z.string(),
  prompt: z.object({ name: z.string(), version: z.string() }).nullable(),
  model: z.string().nullable(),
});
type Question = z.infer<typeof question>;

/** The number that a recorded question is about; the prompt around it is another version's. */
const NUMBER = /\b\d{3,6}\b/;
/** For whoever asks something else, only to see that it answers. */
const ANY_NUMBER = '2017';
const NOT_PINNED = 'v13';

/**
 * The feature's endpoint for rehearsals: answers a recorded question as the named prompt version and model would, scores
 * the answer as it scores its own, and reports no call. The same question gets the same answer.
 */
export function createDryRun({ service, secret }: { service: string; secret: string }) {
  return (request: IncomingMessage, response: ServerResponse, raw: Buffer): void => {
    const refuse = (status: number, error: string) => sendJson(response, { status, body: { error } });
    if (!isSigned(request, secret, raw.toString())) return refuse(401, 'signature is missing, wrong or old');
    const parsed = question.safeParse(parseJson(raw));
    if (!parsed.success) return refuse(422, z.prettifyError(parsed.error));
    if (parsed.data.service !== service) return refuse(404, `there is no service ${parsed.data.service}`);
    const answer = answerTo(parsed.data);
    if (answer === null) return refuse(422, 'there is no such prompt version or model');
    sendJson(response, { status: 200, body: answer });
  };
}

function answerTo({ input, prompt, model }: Question): object | null {
  const version = prompt?.version ?? NOT_PINNED;
  const template = prompt === null || prompt.name === PROMPT ? TEMPLATES[version] : undefined;
  const number = NUMBER.exec(input)?.[0] ?? ANY_NUMBER;
  // The provider answers under its alias with June's model by now.
  const served = model === null || model === ALIAS ? JUNE : model;
  if (template === undefined || ![MARCH, JUNE].includes(served)) return null;
  const seed = createHash('sha256').update(`${number}/${version}/${served}`).digest().readUInt32BE(0);
  const behaviour = behaviourOf({ model: served, prompt: version });
  const given = answerAbout(Number(number), { random: createRandom(seed), behaviour });
  const inputTokens = countTokens(template.replace('{number}', number)) + 4;
  return {
    output: given.output,
    score: given.correct ? 1 : 0,
    format_ok: given.formatOk,
    cost_usd: costUsdOf(inputTokens, given.outputTokens),
  };
}
