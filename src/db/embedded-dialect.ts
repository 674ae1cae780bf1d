import { mkdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Answer, Statement } from './embedded-worker.ts';

/** PGlite has no statement timeout: a statement that runs longer costs the worker its life, not the bot's. */
const STATEMENT_LIMIT_MS = 30_000;

/** Kysely over PGlite in a worker thread. One connection: a transaction holds it, everything else waits. */
export class EmbeddedDialect implements Dialect {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  createDriver(): Driver {
    return new EmbeddedDriver(this.#dir);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the signature is Kysely's
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}

class EmbeddedDriver implements Driver {
  readonly #dir: string;
  #engine: Engine | undefined;
  #tail: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async init(): Promise<void> {
    mkdirSync(this.#dir, { recursive: true });
    this.#engine = await openEngine(this.#dir);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#tail;
    let release: () => void = () => undefined;
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    this.#release = release;
    if (this.#engine?.dead !== false) this.#engine = await openEngine(this.#dir);
    return new EmbeddedConnection(this.#engine);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async destroy(): Promise<void> {
    await this.#tail;
    await this.#engine?.close();
  }
}

class EmbeddedConnection implements DatabaseConnection {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const answer = await this.#engine.run(query.sql, query.parameters);
    return { rows: answer.rows as R[], numAffectedRows: BigInt(answer.affectedRows) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The embedded database does not stream; read in pages instead.');
  }
}

interface Engine {
  readonly dead: boolean;
  run(sql: string, parameters: readonly unknown[]): Promise<{ rows: unknown[]; affectedRows: number }>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(answer: { rows: unknown[]; affectedRows: number }): void;
  reject(error: Error): void;
}

async function openEngine(dir: string): Promise<Engine> {
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), { workerData: { dir } });
  const waiting = new Map<number, Waiting>();
  let dead = false;
  let lastId = 0;

  const failAll = (error: Error) => {
    dead = true;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', failAll);
  worker.on('exit', () => failAll(new Error('The embedded database stopped.')));
  worker.on('message', (answer: Answer) => {
    const entry = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer)
      entry?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    else entry?.resolve(answer);
  });

  const answerTo = (id: number) =>
    new Promise<{ rows: unknown[]; affectedRows: number }>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });

  await answerTo(0);
  return {
    get dead() {
      return dead;
    },
    async run(sql, parameters) {
      if (dead) throw new Error('The embedded database stopped; the transaction is lost.');
      lastId += 1;
      const answer = answerTo(lastId);
      worker.postMessage({ id: lastId, sql, parameters } satisfies Statement);
      const watchdog = setTimeout(() => void worker.terminate(), STATEMENT_LIMIT_MS);
      return answer.finally(() => clearTimeout(watchdog));
    },
    async close() {
      if (dead) return;
      const closed = answerTo(-1);
      worker.postMessage('close');
      await closed;
      await worker.terminate();
    },
  };
}
