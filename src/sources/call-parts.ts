import { type CallFacts, tokensOf } from './call-facts.ts';
import type { Part } from './metric-source.ts';

const KEPT_PARTS = 100;

/** Who made the call, and where. */
export function partsOf(call: CallFacts): [string, Part][] {
  const part = { calls: 1, tokens: tokensOf(call) ?? 0 };
  const user: [string, Part][] = call.userId === null ? [] : [[`user ${call.userId}`, part]];
  return call.endpoint === null ? user : [...user, [`endpoint ${call.endpoint}`, part]];
}

/** The busiest 100 users and endpoints; the others together. */
export function busiest(entries: readonly (readonly [string, Part])[]): Record<string, Part> {
  const parts = new Map<string, { calls: number; tokens: number }>();
  const add = (name: string, part: Part) => {
    const known = parts.get(name);
    if (known === undefined) parts.set(name, { ...part });
    else {
      known.calls += part.calls;
      known.tokens += part.tokens;
    }
  };
  for (const [name, part] of entries) add(name, part);
  for (const kind of ['user', 'endpoint']) {
    const named = [...parts].filter(([name]) => name.startsWith(`${kind} `));
    if (named.length <= KEPT_PARTS) continue;
    named.sort(([a, x], [b, y]) => y.tokens - x.tokens || y.calls - x.calls || (a < b ? -1 : 1));
    for (const [name, part] of named.slice(KEPT_PARTS)) {
      parts.delete(name);
      add(`other ${kind}s`, part);
    }
  }
  return Object.fromEntries(parts);
}
