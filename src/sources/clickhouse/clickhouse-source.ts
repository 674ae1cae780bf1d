import { z } from 'zod';
import type { ClickhouseConfig } from '../../config/sources.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { MetricSource } from '../metric-source.ts';
import { type QueriedServices, type QueryParameters, type RunAnswer, readOwnQueries } from '../own-query.ts';
import { askSource, refusedBy, type SourceAnswer } from '../source-request.ts';

const PARALLEL = 4;

/** ClickHouse's error codes that no change of a query mends: credentials, too busy, network, shutting down. */
const SERVER_CODES = new Set([
  '192',
  '193',
  '194',
  '202',
  '203',
  '209',
  '210',
  '236',
  '279',
  '425',
  '516',
  '999',
]);
const REFUSALS = new Set(['192', '193', '194', '516']);
const TOO_SLOW = new Set(['159', '160']);
const READONLY = '164';

const compact = z.object({
  meta: z.array(z.object({ name: z.string() })),
  data: z.array(z.array(z.unknown())),
  /** Some versions write an error that came after the first rows so. */
  exception: z.string().optional(),
});

/**
 * A team's own tables in ClickHouse, over its HTTP interface. Policy: each rule's query runs with its parameters bound
 * by the server (`{service:String}`, `{environment:String}`, `{from:DateTime64(3)}`, `{to:DateTime64(3)}`,
 * `{newest:UInt32}`), read-only, and all of them together within the timeout.
 */
export function clickhouseSource(
  name: string,
  config: ClickhouseConfig,
  services: QueriedServices,
): MetricSource {
  const timeoutMs = config.timeout_seconds * 1000;
  const reads: Reads = { name, config, timeoutMs, isReadOnlyUser: false };
  return {
    name,
    read(questions) {
      const deadlineMs = Date.now() + timeoutMs;
      const runOne = (query: BoundQuery) => run(query, reads, deadlineMs);
      return readOwnQueries(questions, { services, parallel: PARALLEL, run: runOne });
    },
  };
}

interface Reads {
  name: string;
  config: ClickhouseConfig;
  timeoutMs: number;
  /** The user is read-only by profile: it may not send settings, and needs none. */
  isReadOnlyUser: boolean;
}

interface BoundQuery {
  text: string;
  parameters: QueryParameters;
}

async function run(query: BoundQuery, reads: Reads, deadlineMs: number): Promise<RunAnswer> {
  const leftMs = deadlineMs - Date.now();
  if (leftMs <= 0) return { kind: 'problem', problem: tooSlow(reads) };
  const answer = await askSource({
    source: reads.name,
    url: addressOf(query, reads, leftMs),
    method: 'POST',
    headers: {
      'x-clickhouse-user': reads.config.user,
      ...(reads.config.password === undefined ? {} : { 'x-clickhouse-key': reads.config.password }),
      'content-type': 'text/plain; charset=utf-8',
    },
    body: query.text,
    timeoutMs: leftMs,
  });
  const error = errorOf(answer);
  if (error === null) return rowsOf(answer);
  if (error.code === READONLY && /modify .*setting/i.test(error.message) && !reads.isReadOnlyUser) {
    reads.isReadOnlyUser = true;
    return run(query, reads, deadlineMs);
  }
  return problemAnswer(error, answer, reads);
}

function addressOf({ text, parameters }: BoundQuery, reads: Reads, leftMs: number): URL {
  const url = new URL(reads.config.url);
  url.searchParams.set('default_format', 'JSONCompact');
  if (!reads.isReadOnlyUser) {
    url.searchParams.set('readonly', '1');
    url.searchParams.set('max_execution_time', String(leftMs / 1000));
  }
  url.searchParams.set('param_service', escaped(parameters.service));
  url.searchParams.set('param_environment', escaped(parameters.environment));
  url.searchParams.set('param_from', timeFor('from', text, parameters.from));
  url.searchParams.set('param_to', timeFor('to', text, parameters.to));
  url.searchParams.set('param_newest', String(parameters.newest));
  return url;
}

/** ClickHouse reads parameters as it reads tab-separated values. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

/** Seconds since 1970, which no server reads in a time zone of its own; a plain DateTime takes no fraction. */
function timeFor(name: string, text: string, time: Date): string {
  const takesFraction = new RegExp(`\\{\\s*${name}\\s*:\\s*(Nullable\\()?\\s*DateTime64`).test(text);
  const seconds = time.getTime() / 1000;
  return takesFraction ? seconds.toFixed(3) : String(Math.floor(seconds));
}

interface ClickhouseError {
  code: string | null;
  message: string;
}

/** An error may follow rows that were sent already, with status 200. */
function errorOf(answer: SourceAnswer): ClickhouseError | null {
  const header = answer.headers['x-clickhouse-exception-code'];
  const found = /Code: (\d+)\.\s*(?:DB::Exception: )?([\s\S]*?)(?:\(version |$)/.exec(
    answer.text.slice(-4000),
  );
  const isOk = answer.status === 200 && header === undefined;
  if (isOk && (found === null || isJson(answer.text))) return null;
  const code = typeof header === 'string' ? header : (found?.[1] ?? null);
  return { code, message: (found?.[2] ?? answer.text).trim().slice(0, 500) };
}

function isJson(text: string): boolean {
  return text.trimEnd().endsWith('}');
}

function rowsOf({ text }: SourceAnswer): RunAnswer {
  try {
    const { meta, data, exception } = compact.parse(JSON.parse(text));
    if (exception !== undefined) return { kind: 'problem', problem: exception };
    const rows = data.map((row) => Object.fromEntries(meta.map(({ name }, column) => [name, row[column]])));
    return { kind: 'rows', rows };
  } catch (thrown) {
    const cure = 'leave out FORMAT and SETTINGS, and end it with a select';
    return { kind: 'problem', problem: `its answer is not JSONCompact (${messageOf(thrown)}); ${cure}` };
  }
}

function problemAnswer(error: ClickhouseError, answer: SourceAnswer, reads: Reads): RunAnswer {
  if (error.code === null) throw refusedBy(reads.name, answer);
  if (SERVER_CODES.has(error.code)) throw unable(error, reads);
  if (TOO_SLOW.has(error.code)) return { kind: 'problem', problem: tooSlow(reads) };
  if (error.code === READONLY) {
    return { kind: 'problem', problem: `it writes (${error.message}); a query may only read` };
  }
  return { kind: 'problem', problem: `${error.message} (code ${error.code})` };
}

function unable({ code, message }: ClickhouseError, { name }: Reads): ExternalError {
  return new ExternalError(`${name} is unreachable: ${message}`, {
    service: name,
    code: code ?? undefined,
    retryable: code === null || !REFUSALS.has(code),
  });
}

function tooSlow({ name, timeoutMs }: Reads): string {
  return `the queries of "${name}" did not end within ${timeoutMs / 1000} s; make them cheaper, or raise timeout_seconds`;
}
