import type { Call, CallEvaluation } from './call.ts';

// Numbered calls of an invented service and their scores, for the tests beside this file.

export const T0 = Date.parse('2026-03-01T12:00:00Z');
export const BOT = { service: 'support-bot', environment: 'production' };
export const HOUR = { ...BOT, from: new Date(T0), to: new Date(T0 + 3_600_000) };

export function call(number: number, changes: Partial<Call> = {}): Call {
  return {
    traceId: `a${number.toString(16).padStart(31, '0')}`,
    spanId: `b${number.toString(16).padStart(15, '0')}`,
    ...BOT,
    at: new Date(T0 + number * 1_000),
    requestModel: 'gpt-4',
    responseModel: 'gpt-4-0314',
    parameters: { temperature: 0.5 },
    promptName: 'support',
    promptVersion: '12',
    promptSha256: null,
    userId: `user-${number % 3}`,
    sessionId: null,
    endpoint: number % 4 === 0 ? '/b' : '/a',
    inputTokens: 10,
    outputTokens: 5,
    outputChars: 2,
    costUsd: 0.01,
    latencyMs: 250.5,
    error: null,
    input: 'hello',
    output: 'hi',
    ...changes,
  };
}

export function evaluation(number: number, changes: Partial<CallEvaluation> = {}): CallEvaluation {
  const { traceId, spanId, at } = call(number);
  const about = { traceId, spanId, service: 'judge', environment: 'production', at };
  return {
    ...about,
    name: 'quality',
    value: 0.8,
    label: null,
    explanation: null,
    evaluator: 'rubric',
    ...changes,
  };
}
