const KEPT_MS = 10 * 60_000;
const MOST = 2_000;

/**
 * Asks for a name once in ten minutes: a document and its exports name the same people, and Slack answers for about a
 * hundred of them a minute.
 */
export function rememberedNames(
  ask: (userId: string) => Promise<string>,
  now: () => number = Date.now,
): (userId: string) => Promise<string> {
  const known = new Map<string, { name: string; until: number }>();
  return async (userId) => {
    const found = known.get(userId);
    if (found !== undefined && found.until > now()) return found.name;
    const name = await ask(userId);
    if (known.size >= MOST) known.clear();
    known.set(userId, { name, until: now() + KEPT_MS });
    return name;
  };
}
