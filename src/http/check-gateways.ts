import { z } from 'zod';
import type { CheckAnswer } from '../flow/watch/check-output.ts';
import { storableText } from '../sources/otlp-value.ts';

/** The texts of one gateway request that a user would see, and how its answer is made from ours. */
export interface GatewayCheck {
  service: string;
  environment: string | undefined;
  outputs: string[];
  input: string | null;
  answer(answers: readonly CheckAnswer[]): object;
}

export type Gateway = (body: unknown, query: unknown) => GatewayCheck;

const text = (most: number) =>
  z.string().max(most, `must have at most ${most} characters; check it in parts`);
const OUTPUT_CHARS = 40_000;
const INPUT_CHARS = 1_000_000;
const OUTPUTS_AT_MOST = 20;
const name = z.string().transform(storableText).pipe(z.string().min(1, 'must not be empty').max(200));

/** Fields that all shapes share. */
export const checkedText = { name, output: text(OUTPUT_CHARS), input: text(INPUT_CHARS) };

const where = z.object({ service: name, environment: name.optional() });

const litellmBody = z.object({
  texts: z.array(checkedText.output).max(OUTPUTS_AT_MOST),
  input_type: z.enum(['request', 'response']),
  additional_provider_specific_params: where,
});

/** LiteLLM's generic guardrail API. What goes to the model is none of our business: only responses are checked. */
export const litellm: Gateway = (body) => {
  const { texts, input_type: type, additional_provider_specific_params: params } = litellmBody.parse(body);
  return {
    service: params.service,
    environment: params.environment,
    outputs: type === 'response' ? texts : [],
    input: null,
    answer(answers) {
      if (answers.some(({ verdict }) => verdict === 'block')) {
        return { action: 'BLOCKED', blocked_reason: answers.flatMap(({ reasons }) => reasons).join('; ') };
      }
      const isChanged = answers.some(({ verdict }) => verdict === 'redact');
      return isChanged
        ? { action: 'GUARDRAIL_INTERVENED', texts: answers.map(({ output }) => output) }
        : { action: 'NONE' };
    },
  };
};

// Chat completions, and the older ones with a text alone. Everything else in them is handed back as it came.
const choice = z.looseObject({
  message: z.looseObject({ content: checkedText.output.nullish() }).optional(),
  text: checkedText.output.optional(),
});
const completion = z.looseObject({ choices: z.array(choice).min(1).max(OUTPUTS_AT_MOST) });

const portkeyBody = z.object({
  eventType: z.enum(['beforeRequestHook', 'afterRequestHook']).default('afterRequestHook'),
  request: z.object({ text: checkedText.input.nullish() }).nullish(),
  response: z.object({ json: z.unknown(), text: checkedText.output.nullish() }).nullish(),
  metadata: where.partial().nullish(),
});

/** Portkey's webhook guardrail; the service is named in the address, or in the request's metadata. */
export const portkey: Gateway = (body, query) => {
  const { eventType, request, response, metadata } = portkeyBody.parse(body);
  const { service, environment } = where.parse({ ...(metadata ?? {}), ...where.partial().parse(query) });
  const parsed = completion.safeParse(response?.json);
  const place = parsed.success ? choicesIn(parsed.data) : textIn(response?.text);
  return {
    service,
    environment,
    outputs: eventType === 'afterRequestHook' ? place.outputs : [],
    input: request?.text ?? null,
    answer(answers) {
      const isChanged = answers.some(({ verdict }) => verdict === 'redact');
      const isBlocked =
        answers.some(({ verdict }) => verdict === 'block') || (isChanged && place.with === null);
      const reasons = answers.flatMap((one) => one.reasons);
      if (isBlocked || !isChanged) return { verdict: !isBlocked, data: { reasons } };
      const json = place.with?.(answers.map(({ output }) => output ?? ''));
      return { verdict: true, data: { reasons }, transformedData: { response: { json } } };
    },
  };
};

interface Place {
  outputs: string[];
  /** The response with other outputs in their places; null where we do not know its shape. */
  with: ((outputs: readonly string[]) => object) | null;
}

function textIn(output: string | null | undefined): Place {
  return { outputs: output === null || output === undefined ? [] : [output], with: null };
}

function choicesIn(json: z.infer<typeof completion>): Place {
  return {
    outputs: json.choices.flatMap((one) => one.message?.content ?? one.text ?? []),
    with(changed) {
      const next = changed.values();
      const choices = json.choices.map((one) => {
        if (typeof one.message?.content === 'string') {
          return { ...one, message: { ...one.message, content: next.next().value } };
        }
        return one.text === undefined ? one : { ...one, text: next.next().value };
      });
      return { ...json, choices };
    },
  };
}
