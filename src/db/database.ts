import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { lockDirectory } from './directory-lock.ts';
import { EmbeddedDialect } from './embedded-dialect.ts';
import type { Database } from './schema.ts';

/** The handle or a transaction: every store function takes one first, and has no default. */
export type Db = Kysely<Database>;
export type Tx = Transaction<Database>;

export interface OpenDatabase {
  db: Db;
  kind: 'postgres' | 'embedded';
  close(): Promise<void>;
}

const INT8 = 20;

/**
 * Opens Postgres at `databaseUrl`, or the embedded one in `dataDir` under an exclusive lock.
 * Throws InputError when another process holds the directory.
 */
export async function openDatabase(where: {
  databaseUrl?: string | undefined;
  dataDir: string;
}): Promise<OpenDatabase> {
  if (where.databaseUrl !== undefined) return openPostgres(where.databaseUrl);
  const lock = lockDirectory(where.dataDir);
  const dialect = new EmbeddedDialect(`${where.dataDir}/postgres`);
  const db = new Kysely<Database>({ dialect });
  const close = async () => {
    await db.destroy();
    lock.release();
  };
  return { db, kind: 'embedded', close };
}

function openPostgres(connectionString: string): OpenDatabase {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  const pool = new pg.Pool({
    connectionString,
    types,
    max: 10,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
  });
  // Without listeners, a connection that is cut would end the process; whoever uses it gets the error anyway.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { db, kind: 'postgres', close: () => db.destroy() };
}
