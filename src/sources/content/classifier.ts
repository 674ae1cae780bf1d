import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import type { DeliveryCheckConfig } from '../../config/content.ts';
import { ExternalError, messageOf } from '../../errors.ts';

export type ClassifierConfig = NonNullable<DeliveryCheckConfig['classifier']>;

/** What a classifier is asked: the output without the personal data that was found in it. */
export interface ClassifierQuestion {
  service: string;
  environment: string;
  output: string;
}

const answer = z.object({ verdict: z.enum(['allow', 'block']), reason: z.string().optional() });
export type ClassifierAnswer = z.infer<typeof answer>;

/**
 * `POST url {"service", "environment", "output"}` → `{"verdict": "allow" | "block", "reason"?}`. Throws ExternalError
 * when no such answer arrives within `timeoutMs`.
 */
export async function askClassifier(
  { url, token }: ClassifierConfig,
  question: ClassifierQuestion,
  { timeoutMs, dispatcher }: { timeoutMs: number; dispatcher: Dispatcher },
): Promise<ClassifierAnswer> {
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      dispatcher,
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(question),
    });
    if (statusCode < 200 || statusCode > 299) {
      await body.dump();
      throw new Error(`answered ${statusCode}`);
    }
    return answer.parse(await body.json());
  } catch (thrown) {
    throw new ExternalError(`the classifier failed: ${messageOf(thrown)}`, {
      service: 'classifier',
      retryable: true,
      cause: thrown,
    });
  }
}
