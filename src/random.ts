/** Repeatable chance: the same seed gives the same sequence. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Lower-case hex digits, never all zero. */
  hex(digits: number): string;
}

/** mulberry32, by Tommy Ettinger (public domain): 32 bits of state are plenty for a demonstration. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    hex: (digits) => {
      const text = Array.from({ length: digits - 1 }, () => below(16).toString(16)).join('');
      return `${(1 + below(15)).toString(16)}${text}`;
    },
  };
}

/** A value whose quantiles are those given (the first for share 0), with straight lines between them. */
export function fromQuantiles(
  random: Random,
  quantiles: readonly (readonly [share: number, value: number])[],
): number {
  const drawn = random.next();
  let [lowShare, low] = quantiles[0] ?? [0, 0];
  for (const [share, value] of quantiles.slice(1)) {
    if (drawn <= share) return low + ((drawn - lowShare) / (share - lowShare)) * (value - low);
    [lowShare, low] = [share, value];
  }
  return low;
}
