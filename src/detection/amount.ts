import type { Rule } from './rule.ts';

/** A number with its unit: "0.71", "94.5 %", "1,240 ms", "$62.10/hour". */
export function amount(value: number, unit: Rule['unit']): string {
  switch (unit) {
    case 'share':
      return percent(value);
    case 'score':
    case 'index':
      return value.toFixed(2);
    case 'ms':
      return `${whole(value)} ms`;
    case 'chars':
      return `${whole(value)} characters`;
    case 'tokens':
      return `${whole(value)} tokens`;
    case 'usd':
      return `$${value < 0.1 ? value.toPrecision(2) : value.toFixed(2)}`;
    case 'usd/hour':
      return `$${value.toFixed(2)}/hour`;
    case 'events':
      return `${whole(value)} ${value === 1 ? 'call' : 'calls'}`;
  }
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A share as whole per cent. */
export function wholePercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Without decimals, thousands apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
