// OTLP bodies as a sender writes them, for the tests beside this file.

export const TRACE = '5b8efff798038103d269b633813fc60c';
export const SPAN = 'eee19b7ec3c1b174';
export const END_NANOS = '1767225600123456789';

export type Plain = string | number | boolean | Plain[] | { [key: string]: Plain };

function any(value: Plain): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(any) } };
  return { kvlistValue: { values: attributes(value) } };
}

export function attributes(values: { [key: string]: Plain }): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: any(value) }));
}

export function span(values: { [key: string]: Plain }, more: object = {}): object {
  return {
    traceId: TRACE,
    spanId: SPAN,
    endTimeUnixNano: END_NANOS,
    attributes: attributes(values),
    ...more,
  };
}

export const CHAT = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4' };

export function traces(
  spans: unknown[],
  resource: { [key: string]: Plain } = { 'service.name': 'support-bot' },
): object {
  return { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans }] }] };
}
