import type { Call } from '../sources/call.ts';
import { digestOf } from './digest.ts';

// Invented services and their calls, for the tests beside this file.

export const T0 = Date.UTC(2026, 0, 1);
export const at = (second: number) => new Date(T0 + second * 1_000);
export const RECORDED = at(1_000_000);

let services = 0;
export const newService = () => {
  services += 1;
  return { service: `bot-${services}`, environment: 'production' };
};
export type Of = ReturnType<typeof newService>;

export function call(of: Of, second: number, changes: Partial<Call> = {}): Call {
  const id = digestOf([of, second, changes]);
  return {
    traceId: id.slice(0, 32),
    spanId: id.slice(32, 48),
    ...of,
    at: at(second),
    requestModel: 'gpt-4',
    responseModel: 'gpt-4-0314',
    parameters: { temperature: 0.1 },
    promptName: 'support',
    promptVersion: '12',
    promptSha256: null,
    userId: 'u',
    sessionId: null,
    endpoint: '/chat',
    inputTokens: 10,
    outputTokens: 5,
    outputChars: 2,
    costUsd: null,
    latencyMs: null,
    error: null,
    input: 'hello',
    output: 'hi',
    ...changes,
  };
}
