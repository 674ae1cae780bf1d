import { type Kysely, sql } from 'kysely';

const STATUSES = [
  ['proposed', 'approved', 'running', 'applied', 'proven', 'unproven', 'not-contained', 'failed', 'stale'],
  ['rejected', 'expired', 'needs-human', 'reverted'],
].flat();

const oneOf = (column: string, values: readonly string[]) =>
  `check (${column} in (${values.map((value) => `'${value}'`).join(', ')}))`;

const restrict = (table: string, column: string, values: readonly string[]) => [
  `alter table ${table} drop constraint ${table}_${column}_check`,
  `alter table ${table} add constraint ${table}_${column}_check ${oneOf(column, values)}`,
];

/** Withdrawing, break-glass, when approvers were paged, and when a run found its approval still good. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    ...restrict('mitigation', 'status', [...STATUSES, 'withdrawn']),
    ...restrict('vote', 'choice', ['approve', 'reject', 'break-glass']),
    `alter table mitigation add column nudged_at timestamptz, add column confirmed_at timestamptz`,
  ])
    await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    `alter table mitigation drop column nudged_at, drop column confirmed_at`,
    `update vote set choice = 'approve' where choice = 'break-glass'`,
    `update mitigation set status = 'rejected' where status = 'withdrawn'`,
    ...restrict('vote', 'choice', ['approve', 'reject']),
    ...restrict('mitigation', 'status', STATUSES),
  ])
    await sql.raw(statement).execute(db);
}
