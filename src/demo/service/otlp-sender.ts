import { type EmittedCall, toLogs, toTraces } from './otlp-calls.ts';

/** Where calls are reported to. */
export interface Collector {
  /** Base address; `/v1/traces` and `/v1/logs` are added. */
  url: string;
  token: string;
}

const BATCH = 200;

/** Reports calls and their evaluations in batches; throws when anything was refused or only partly taken. */
export async function sendCalls(collector: Collector, calls: readonly EmittedCall[]): Promise<void> {
  for (let start = 0; start < calls.length; start += BATCH) {
    const batch = calls.slice(start, start + BATCH);
    await post(collector, '/v1/traces', toTraces(batch));
    const logs = toLogs(batch);
    if (logs.resourceLogs.length > 0) await post(collector, '/v1/logs', logs);
  }
}

async function post(collector: Collector, path: string, body: object): Promise<void> {
  const response = await fetch(`${collector.url.replace(/\/$/, '')}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${collector.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 500)}`);
  const partial = (text === '' ? {} : (JSON.parse(text) as { partialSuccess?: Record<string, unknown> }))
    .partialSuccess;
  const rejected = Number(partial?.['rejectedSpans'] ?? partial?.['rejectedLogRecords'] ?? 0);
  if (rejected > 0) throw new Error(`${path} rejected ${rejected}: ${String(partial?.['errorMessage'])}`);
}
