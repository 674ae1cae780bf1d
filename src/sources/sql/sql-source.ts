import pg from 'pg';
import type { SqlConfig } from '../../config/sources.ts';
import { ExternalError, InputError, messageOf } from '../../errors.ts';
import type { MetricSource } from '../metric-source.ts';
import {
  type QueriedServices,
  type QueryParameters,
  type Rows,
  type RunAnswer,
  readOwnQueries,
} from '../own-query.ts';
import { type BindableQuery, bindable } from './named-parameters.ts';

const CONNECTIONS = 2;
/** The server ends a query first; this much later it counts as gone. */
const GRACE_MS = 250;

/** SQLSTATE classes of a server that cannot serve, whatever the query: connection, authorisation, resources, operator. */
const SERVER_CLASSES = new Set(['08', '28', '3D', '53', '57', '58', 'XX']);
const QUERY_CANCELED = '57014';
const READ_ONLY = '25006';

export interface SqlSource extends MetricSource {
  /** Ends its connections. */
  close(): Promise<void>;
}

/**
 * A team's own tables in any Postgres. Policy: each rule's query runs with its parameters bound, alone in a read-only
 * transaction of its own, and all of them together within the timeout.
 */
export function sqlSource(name: string, config: SqlConfig, services: QueriedServices): SqlSource {
  const timeoutMs = config.timeout_seconds * 1000;
  const pool = new pg.Pool({
    connectionString: config.url,
    max: CONNECTIONS,
    connectionTimeoutMillis: timeoutMs,
    application_name: 'llm-incident',
    allowExitOnIdle: true,
  });
  // An idle connection that breaks is replaced by the next read, which says so when it cannot be.
  pool.on('error', () => {});
  return {
    name,
    read(questions) {
      const reads = { name, pool, deadlineMs: Date.now() + timeoutMs, timeoutMs };
      const run = ({ text, parameters }: { text: string; parameters: QueryParameters }) =>
        runNamed(text, parameters, reads);
      return readOwnQueries(questions, { services, parallel: CONNECTIONS, run });
    },
    close: () => pool.end(),
  };
}

interface Reads {
  name: string;
  pool: pg.Pool;
  deadlineMs: number;
  timeoutMs: number;
}

async function runNamed(text: string, parameters: QueryParameters, reads: Reads): Promise<RunAnswer> {
  let query: BindableQuery;
  try {
    query = bindable(text);
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    return { kind: 'problem', problem: thrown.message };
  }
  return run(query, parameters, reads);
}

async function run(query: BindableQuery, parameters: QueryParameters, reads: Reads): Promise<RunAnswer> {
  const leftMs = reads.deadlineMs - Date.now();
  if (leftMs <= GRACE_MS) return { kind: 'problem', problem: tooSlow(reads) };
  let client: pg.PoolClient;
  try {
    client = await reads.pool.connect();
  } catch (thrown) {
    throw unreachable(reads.name, thrown);
  }
  let broken = true;
  try {
    const statementMs = Math.max(1, Math.ceil(reads.deadlineMs - Date.now() - GRACE_MS));
    await begin(client, statementMs);
    const rows = await runInside(client, { query, parameters, statementMs });
    await client.query('rollback');
    broken = false;
    return { kind: 'rows', rows };
  } catch (thrown) {
    if (!isAboutTheQuery(thrown)) throw unreachable(reads.name, thrown);
    await client.query('rollback').then(
      () => {
        broken = false;
      },
      () => {},
    );
    return { kind: 'problem', problem: problemText(thrown, reads) };
  } finally {
    client.release(broken);
  }
}

/** Only for this transaction, so that nothing of it stays behind in a connection that a pooler shares. */
async function begin(client: pg.PoolClient, statementMs: number): Promise<void> {
  const settings = [
    'begin transaction read only',
    `set local statement_timeout = ${statementMs}`,
    `set local idle_in_transaction_session_timeout = ${statementMs + GRACE_MS}`,
    "set local timezone = 'UTC'",
  ];
  await client.query(timed({ text: settings.join('; ') }, statementMs));
}

async function runInside(
  client: pg.PoolClient,
  {
    query,
    parameters,
    statementMs,
  }: { query: BindableQuery; parameters: QueryParameters; statementMs: number },
): Promise<Rows> {
  const values = query.names.map((name) => {
    const value = parameters[name];
    return value instanceof Date ? value.toISOString() : value;
  });
  // The extended protocol takes one statement only: a text cannot end the transaction and begin another.
  const asked = { text: query.text, values, queryMode: 'extended' };
  const answer = await client.query<Record<string, unknown>>(timed(asked, statementMs));
  return answer.rows;
}

/** The driver's own limit, for a server that no longer answers at all. */
function timed<Query extends { text: string }>(query: Query, statementMs: number): Query {
  return Object.assign(query, { query_timeout: statementMs + GRACE_MS });
}

function isAboutTheQuery(thrown: unknown): thrown is pg.DatabaseError {
  if (!(thrown instanceof pg.DatabaseError) || thrown.code === undefined) return false;
  return thrown.code === QUERY_CANCELED || !SERVER_CLASSES.has(thrown.code.slice(0, 2));
}

function problemText(error: pg.DatabaseError, reads: Reads): string {
  if (error.code === QUERY_CANCELED) return tooSlow(reads);
  if (error.code === READ_ONLY) return `it writes (${error.message}); a query may only read`;
  return `${error.message} (${error.code})`;
}

function tooSlow({ name, timeoutMs }: Reads): string {
  return `the queries of "${name}" did not end within ${timeoutMs / 1000} s; add an index, or raise timeout_seconds`;
}

/** The message never holds the address, which has the password in it. */
function unreachable(name: string, thrown: unknown): ExternalError {
  const code = (thrown as { code?: string }).code;
  const isRefusal = code?.startsWith('28') === true || code?.startsWith('3D') === true;
  return new ExternalError(`${name} is unreachable: ${messageOf(thrown) || code}`, {
    service: name,
    code,
    retryable: !isRefusal,
    cause: thrown,
  });
}
