import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ChainHead } from '../../evidence/chain.ts';
import { ledgerDigestAt, ledgerHeadRow } from '../../evidence/ledger-store.ts';
import { digestAt, lastEntry } from '../../mitigation/audit-store.ts';
import type { Flow } from '../flow.ts';

export const CHAINS = ['audit', 'ledger'] as const;
export type ChainName = (typeof CHAINS)[number];

const head = z.object({ seq: z.number().int(), digest: z.string() });

/** The head of a chain as it was kept outside the database; null when none was. */
export function readHead(dataDir: string, chain: ChainName): ChainHead | null {
  const file = fileOf(dataDir, chain);
  return existsSync(file) ? head.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}

/**
 * Keeps the heads of the audit chain and of the ledger outside the database, so that rows cut off their ends show. A
 * head that is no longer in its chain is kept as it is: it is the proof, and `npm run audit` names it.
 */
export async function keepHeads(flow: Pick<Flow, 'db' | 'log'>, dataDir: string): Promise<void> {
  const { db } = flow;
  await keepHead(flow, {
    dataDir,
    chain: 'audit',
    newest: await lastEntry(db),
    at: (seq) => digestAt(db, seq),
  });
  const newest = await ledgerHeadRow(db);
  await keepHead(flow, { dataDir, chain: 'ledger', newest, at: (seq) => ledgerDigestAt(db, seq) });
}

interface Kept {
  dataDir: string;
  chain: ChainName;
  newest: ChainHead | undefined;
  /** The digest that the row has now. */
  at(seq: number): Promise<string | null>;
}

async function keepHead(flow: Pick<Flow, 'log'>, { dataDir, chain, newest, at }: Kept): Promise<void> {
  const kept = readHead(dataDir, chain);
  if (kept !== null && (await at(kept.seq)) !== kept.digest) {
    flow.log.error({ chain, seq: kept.seq }, 'a chain no longer holds its head; run npm run audit');
    return;
  }
  if (newest === undefined || newest.digest === kept?.digest) return;
  writeFileSync(fileOf(dataDir, chain), `${JSON.stringify(newest)}\n`);
}

const fileOf = (dataDir: string, chain: ChainName) => join(dataDir, `${chain}-head.json`);
