import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Db } from '../db/database.ts';

/** `GET /healthz`: the process answers. `GET /readyz`: 200, or 503 naming what is down. */
export function addHealthRoutes(
  server: FastifyInstance,
  { db, isDraining }: { db: Db; isDraining(): boolean },
): void {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const down = isDraining() ? ['shutting down'] : [];
    if (!(await isDatabaseUp(db))) down.push('database');
    return down.length === 0 ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', down });
  });
}

async function isDatabaseUp(db: Db): Promise<boolean> {
  const answered = sql`select 1`.execute(db).then(
    () => true,
    () => false,
  );
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, 2_000, false).unref());
  return Promise.race([answered, late]);
}
