import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, types } from '@electric-sql/pglite';

/** One statement to run in the embedded Postgres. */
export interface Statement {
  id: number;
  sql: string;
  parameters: readonly unknown[];
}

export type Answer =
  | { id: number; rows: unknown[]; affectedRows: number }
  | { id: number; error: { message: string; code: string | undefined } };

// PGlite blocks its thread while a statement runs, so it has a thread of its own.
const port = parentPort;
if (port === null) throw new Error('embedded-worker runs in a worker thread');

const pglite = await PGlite.create((workerData as { dir: string }).dir, {
  parsers: { [types.INT8]: Number },
});

port.on('message', async (statement: Statement | 'close') => {
  if (statement === 'close') {
    await pglite.close();
    port.postMessage({ id: -1, rows: [], affectedRows: 0 } satisfies Answer);
    return;
  }
  try {
    const result = await pglite.query(statement.sql, [...statement.parameters]);
    port.postMessage({
      id: statement.id,
      rows: result.rows,
      affectedRows: result.affectedRows ?? 0,
    } satisfies Answer);
  } catch (thrown) {
    const { message, code } = thrown as { message: string; code?: string };
    port.postMessage({ id: statement.id, error: { message, code } } satisfies Answer);
  }
});
port.postMessage({ id: 0, rows: [], affectedRows: 0 } satisfies Answer);
