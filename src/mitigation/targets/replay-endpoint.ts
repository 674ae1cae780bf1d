import { Agent } from 'undici';
import { z } from 'zod';
import type { RehearsalConfig } from '../../config/rehearsal.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { redact } from '../../redaction.ts';
import { completeChat } from '../../sources/chat-completion.ts';
import { askSource, notUnderstood, refusedBy } from '../../sources/source-request.ts';
import type { Candidate } from '../candidate.ts';
import type { ReplayAnswer, ReplayCall, ReplayEndpoint } from '../replay-through.ts';
import { type PromptTexts, textKey } from '../served.ts';
import { guardedLookup, refuseForbiddenHost } from './address-guard.ts';
import { signedHeaders } from './webhook.ts';

/** Tells a service that nothing may come of it: no order, no message, no line in its statistics. */
const MARKS = { 'x-llm-incident-rehearsal': '1', 'x-llm-incident-dry-run': '1' };
const USER = 'llm-incident-rehearsal';
const PARAMETERS = ['temperature', 'top_p', 'max_tokens', 'frequency_penalty', 'presence_penalty'];
/** `{{name}}` and `${name}`: a text with holes, which only the service can fill. */
const HOLE = /\{\{[^{}]{1,80}\}\}|\$\{[\w.]{1,80}\}/;

interface Serves {
  service: string;
  environment: string;
  /** Texts of prompt versions, for an endpoint that knows no versions. */
  texts: PromptTexts;
  /** A webhook gets the text of a version along with its name. */
  sendsTexts?: boolean;
}

/** The declared endpoint of a service. Inputs leave redacted; redirects are not followed. */
export function replayEndpoint(config: RehearsalConfig, serves: Serves): ReplayEndpoint {
  const url = new URL(config.url);
  const source = `rehearsal endpoint of ${serves.service}`;
  const dispatcher = new Agent({ connect: { lookup: guardedLookup(config.allow_private), timeout: 5_000 } });
  const endpoint =
    config.type === 'openai' ? openAi(config, serves, source) : webhook(config, serves, source);
  return {
    refuses: endpoint.refuses,
    async replay(call, asked) {
      try {
        refuseForbiddenHost(url, config.allow_private);
      } catch (thrown) {
        const details = { service: source, code: 'ADDRESS_REFUSED', retryable: false };
        throw new ExternalError(messageOf(thrown), details);
      }
      return endpoint.replay({ ...call, input: redact(call.input) }, { ...asked, dispatcher });
    },
  };
}

interface Asked {
  candidate: Candidate;
  signal: AbortSignal;
  timeoutMs: number;
  dispatcher: Agent;
}
interface Kind {
  refuses: ReplayEndpoint['refuses'];
  replay(call: ReplayCall, asked: Asked): Promise<ReplayAnswer>;
}

/**
 * Policy: the version's text is the system message and the recorded input the user's. A version whose text is not known,
 * or has holes to be filled in, is not guessed at; a service that names no version gets its input alone.
 */
function openAi(config: RehearsalConfig & { type: 'openai' }, serves: Serves, source: string): Kind {
  const textOf = (promptName: string, version: string) =>
    serves.texts.get(textKey(serves.service, promptName, version))?.text ?? null;
  return {
    refuses(promptName, { prompts }) {
      const version = prompts[promptName];
      if (version === undefined) return null;
      const text = textOf(promptName, version);
      const prompt = `prompt ${promptName} ${version}`.replace('  ', ' ');
      if (text === null) return `the text of ${prompt} is not known`;
      return HOLE.test(text) ? `the text of ${prompt} has places to fill in` : null;
    },
    async replay({ input, promptName, parameters }, { candidate, ...asked }) {
      const version = candidate.prompts[promptName];
      const text = version === undefined ? null : textOf(promptName, version);
      const output = await completeChat({
        ...asked,
        source,
        url: config.url,
        token: config.token,
        headers: MARKS,
        body: {
          ...(candidate.model === null ? {} : { model: candidate.model }),
          ...Object.fromEntries(Object.entries(parameters).filter(([name]) => PARAMETERS.includes(name))),
          messages: [
            ...(text === null ? [] : [{ role: 'system' as const, content: text }]),
            { role: 'user' as const, content: input },
          ],
          user: USER,
        },
      });
      return { output, score: null, formatOk: null, costUsd: null };
    },
  };
}

const answer = z.object({
  output: z.string(),
  score: z.number().min(0).max(1).nullish(),
  format_ok: z.boolean().nullish(),
  cost_usd: z.number().min(0).nullish(),
});

/** Signed as the webhook target is, over the body. */
function webhook(config: RehearsalConfig & { type: 'webhook' }, serves: Serves, source: string): Kind {
  return {
    refuses: () => null,
    async replay({ input, promptName, parameters }, { candidate, ...asked }) {
      const version = candidate.prompts[promptName];
      const body = JSON.stringify({
        service: serves.service,
        environment: serves.environment,
        dry_run: true,
        input,
        prompt:
          version === undefined
            ? null
            : { name: promptName, version, ...textOf(serves, promptName, version) },
        model: candidate.model,
        parameters,
      });
      const said = await askSource({
        ...asked,
        source,
        url: config.url,
        method: 'POST',
        headers: { ...signedHeaders(config.secret, { url: new URL(config.url), body }), ...MARKS },
        body,
      });
      if (said.status < 200 || said.status > 299) throw refusedBy(source, said);
      return answerIn(source, said.text);
    },
  };
}

function textOf({ service, texts, sendsTexts = false }: Serves, promptName: string, version: string) {
  const text = sendsTexts ? texts.get(textKey(service, promptName, version))?.text : undefined;
  return text === undefined || text === null ? {} : { text };
}

function answerIn(source: string, text: string): ReplayAnswer {
  try {
    const { output, score, format_ok: formatOk, cost_usd: costUsd } = answer.parse(JSON.parse(text));
    return { output, score: score ?? null, formatOk: formatOk ?? null, costUsd: costUsd ?? null };
  } catch (thrown) {
    throw notUnderstood(source, thrown instanceof z.ZodError ? z.prettifyError(thrown) : thrown);
  }
}
