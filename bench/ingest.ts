import { sql } from 'kysely';
import type { Db } from '../src/db/database.ts';
import { toTraces } from '../src/demo/service/otlp-calls.ts';
import { startSimulatedService } from '../src/demo/service/simulated-service.ts';
import { createServer } from '../src/http/server.ts';
import type { Call } from '../src/sources/call.ts';
import { saveCalls } from '../src/sources/call-store.ts';
import { parseTraces } from '../src/sources/otlp.ts';
import { encodeMessage } from '../src/sources/otlp-messages.ts';
import { decodeRequest } from '../src/sources/otlp-protobuf.ts';
import { withDatabase } from './database.ts';
import { compareRates, type Measurement } from './measurement.ts';

const BATCH = 500;
const BATCHES = 10;

/** Spans a second from OTLP text to committed rows, beside a bare parse and one multi-row insert of the same bytes. */
export async function ingest(): Promise<Measurement[]> {
  const bodies = await recordedBodies();
  return withDatabase(async (db) => {
    await sql`create table bench_span (id text primary key, body jsonb)`.execute(db);
    const floor = await perSecond(bodies, (body) => insertBare(db, JSON.parse(body)));
    const value = await perSecond(bodies, (body) => saveCalls(db, parseTraces(JSON.parse(body)).calls));
    await sql`delete from call`.execute(db);
    const binary = bodies.map(asProtobuf);
    const fromProtobuf = await perSecond(binary, (body) => saveCalls(db, callsOf(body)));
    return [
      compareRates({ name: 'OTLP spans, parsed and stored', floor, value, unit: 'spans/s', target: 2 }),
      compareRates({
        name: 'the same as protobuf',
        floor,
        value: fromProtobuf,
        unit: 'spans/s',
        target: 2,
      }),
    ];
  });
}

function asProtobuf(body: string): Uint8Array {
  const request = JSON.parse(body, (key, value) =>
    key === 'traceId' || key === 'spanId' ? Buffer.from(value, 'hex').toString('base64') : value,
  );
  return encodeMessage('ExportTraceServiceRequest', request);
}

function callsOf(body: Uint8Array): Call[] {
  const request = decodeRequest('traces', body);
  if (request.kind === 'unreadable') throw new Error(request.problem);
  return parseTraces(request.value).calls;
}

async function perSecond<T>(bodies: readonly T[], store: (body: T) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  for (const body of bodies) await store(body);
  return ((BATCH * bodies.length) / (performance.now() - started)) * 1000;
}

interface Traces {
  resourceSpans: { scopeSpans: { spans: { spanId: string }[] }[] }[];
}

async function insertBare(db: Db, traces: Traces): Promise<void> {
  const spans = traces.resourceSpans.flatMap((resource) =>
    resource.scopeSpans.flatMap((scope) => scope.spans),
  );
  const rows = spans.map((span) => sql`(${span.spanId}, ${JSON.stringify(span)}::jsonb)`);
  await sql`insert into bench_span (id, body) values ${sql.join(rows)}`.execute(db);
}

/** Calls of the simulated service, sent to a collector that only listens. */
async function recordedBodies(): Promise<string[]> {
  const collector = createServer();
  collector.post('/*', async () => ({}));
  const ingestUrl = await collector.listen({ port: 0, host: '127.0.0.1' });
  const about = { secret: 's', service: 'bench', environment: 'production', seed: 1, token: 't' };
  const service = await startSimulatedService({ ...about, ingestUrl });
  const to = new Date();
  const calls = await service.emit({ from: new Date(to.getTime() - 3_600_000), to, calls: BATCH * BATCHES });
  await service.close();
  await collector.close();
  return Array.from({ length: BATCHES }, (_, i) =>
    JSON.stringify(toTraces(calls.slice(i * BATCH, (i + 1) * BATCH))),
  );
}
