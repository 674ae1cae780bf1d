/** One row of a chain of digests, with the digest that its content has now. */
export interface ChainRow {
  seq: number;
  previousDigest: string;
  digest: string;
  computedDigest: string;
}

/** The newest row of a chain as it was kept outside the database. */
export interface ChainHead {
  seq: number;
  digest: string;
}

export type ChainVerdict =
  | { kind: 'intact'; rows: number; head: string }
  /** `seq` is the first row that is not as it was. */
  | { kind: 'broken'; seq: number; problem: string };

export interface ChainCheck {
  /** Rows in the order of their numbers; the first that is wrong decides. */
  take(row: ChainRow): void;
  verdict(): ChainVerdict;
}

export const FIRST_DIGEST = '0'.repeat(64);

/**
 * The chain is intact when each row names the digest of the one before, each digest fits its row, and the head that is
 * kept outside the database is among them. `isGapless`: numbers count up by one, so that a missing row has a name.
 */
export function checkChain(of: { isGapless: boolean; outsideHead: ChainHead | null }): ChainCheck {
  const { isGapless, outsideHead } = of;
  let last: ChainHead = { seq: 0, digest: FIRST_DIGEST };
  let rows = 0;
  let broken: ChainVerdict | null = null;
  let isHeadSeen = outsideHead === null;
  return {
    take(row) {
      if (broken !== null) return;
      broken = brokenAt(row, last, isGapless);
      if (row.seq === outsideHead?.seq && row.digest === outsideHead.digest) isHeadSeen = true;
      last = row;
      rows += 1;
    },
    verdict() {
      if (broken !== null) return broken;
      if (isHeadSeen || outsideHead === null) return { kind: 'intact', rows, head: last.digest };
      return withoutHead(outsideHead, last);
    },
  };
}

function brokenAt(row: ChainRow, last: ChainHead, isGapless: boolean): ChainVerdict | null {
  const expected = last.seq + 1;
  if (isGapless && row.seq !== expected)
    return { kind: 'broken', seq: expected, problem: `is missing or moved: row ${row.seq} stands there` };
  if (row.previousDigest !== last.digest) {
    const before = last.seq === 0 ? 'the beginning' : `row ${last.seq}`;
    const problem = `does not continue ${before}: it was moved or altered, or a row before it is missing`;
    return { kind: 'broken', seq: row.seq, problem };
  }
  if (row.digest === row.computedDigest) return null;
  return { kind: 'broken', seq: row.seq, problem: 'was altered after it was written' };
}

function withoutHead(head: ChainHead, last: ChainHead): ChainVerdict {
  if (last.seq < head.seq) {
    const problem = `is cut off: the head kept outside is row ${head.seq}, and the chain ends before it`;
    return { kind: 'broken', seq: last.seq + 1, problem };
  }
  return { kind: 'broken', seq: head.seq, problem: 'is not the head that was kept outside' };
}
