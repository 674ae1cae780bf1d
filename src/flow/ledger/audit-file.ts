import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Db } from '../../db/database.ts';
import { messageOf } from '../../errors.ts';
import { type ChainHead, type ChainVerdict, checkChain } from '../../evidence/chain.ts';
import { ledgerLink } from '../../evidence/ledger-chain.ts';
import { wholeLedger } from '../../evidence/ledger-store.ts';
import { auditLink } from '../../mitigation/audit.ts';
import { wholeTrail } from '../../mitigation/audit-store.ts';
import { CHAINS, type ChainName } from './keep-heads.ts';

const FORMAT = 'llm-incident-audit';

const chained = { previousDigest: z.string(), digest: z.string(), at: z.coerce.date() };
const states = z.record(z.string(), z.string().nullable());
const line = z.discriminatedUnion('chain', [
  z.object({
    chain: z.literal('audit'),
    ...chained,
    seq: z.number().int(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
  z.object({
    chain: z.literal('ledger'),
    ...chained,
    id: z.number().int(),
    service: z.string(),
    environment: z.string(),
    component: z.string(),
    state: states,
    previous: states.nullable(),
    source: z.string(),
    actor: z.string().nullable(),
    recordedAt: z.coerce.date(),
  }),
]);
/** The last line: a file that was cut off has none, or has not the rows that it names. */
const end = z.object({
  chain: z.literal('end'),
  format: z.literal(FORMAT),
  heads: z.record(z.enum(CHAINS), z.object({ seq: z.number().int(), digest: z.string() }).nullable()),
});

/** Both chains as JSON lines, which hold digests, ids, versions and names, and no text of a call. */
export async function* auditLines(db: Db): AsyncIterable<string> {
  const heads: Record<ChainName, ChainHead | null> = { audit: null, ledger: null };
  for (const row of await wholeTrail(db)) {
    heads.audit = { seq: row.seq, digest: row.digest };
    yield JSON.stringify({ chain: 'audit', ...row });
  }
  for await (const row of wholeLedger(db)) {
    heads.ledger = { seq: row.id, digest: row.digest };
    yield JSON.stringify({ chain: 'ledger', ...row });
  }
  yield JSON.stringify({ chain: 'end', format: FORMAT, heads });
}

export type FileVerdict =
  | { kind: 'read'; chains: Record<ChainName, ChainVerdict> }
  | { kind: 'unreadable'; problem: string };

/** Verifies an export by itself. Throws for a file that cannot be opened. */
export async function verifyAuditFile(path: string): Promise<FileVerdict> {
  const rows: Record<ChainName, ReturnType<typeof auditLink>[]> = { audit: [], ledger: [] };
  let heads: z.infer<typeof end>['heads'] | null = null;
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (text.trim() === '') continue;
    if (heads !== null) return { kind: 'unreadable', problem: `line ${number}: follows the last one` };
    const read = readLine(text);
    if (read.kind === 'problem') return { kind: 'unreadable', problem: `line ${number}: ${read.problem}` };
    if (read.kind === 'end') heads = read.heads;
    else rows[read.chain].push(read.row);
  }
  if (heads === null)
    return { kind: 'unreadable', problem: `line ${number}: is not the last one; the file is cut off` };
  return {
    kind: 'read',
    chains: { audit: verdictOf('audit', rows, heads), ledger: verdictOf('ledger', rows, heads) },
  };
}

function verdictOf(
  chain: ChainName,
  rows: Record<ChainName, ReturnType<typeof auditLink>[]>,
  heads: z.infer<typeof end>['heads'],
): ChainVerdict {
  const check = checkChain({ isGapless: chain === 'audit', outsideHead: heads[chain] });
  for (const row of rows[chain]) check.take(row);
  return check.verdict();
}

type Line =
  | { kind: 'row'; chain: ChainName; row: ReturnType<typeof auditLink> }
  | { kind: 'end'; heads: z.infer<typeof end>['heads'] }
  | { kind: 'problem'; problem: string };

function readLine(text: string): Line {
  try {
    const json: unknown = JSON.parse(text);
    const last = end.safeParse(json);
    if (last.success) return { kind: 'end', heads: last.data.heads };
    const parsed = line.parse(json);
    const { chain } = parsed;
    return { kind: 'row', chain, row: parsed.chain === 'audit' ? auditLinkOf(parsed) : ledgerLink(parsed) };
  } catch (thrown) {
    return { kind: 'problem', problem: `is no row of an export: ${messageOf(thrown).split('\n')[0]}` };
  }
}

function auditLinkOf({ chain: _, ...row }: Extract<z.infer<typeof line>, { chain: 'audit' }>) {
  return auditLink(row);
}
