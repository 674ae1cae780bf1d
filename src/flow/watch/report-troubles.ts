import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Trouble } from '../../db/trouble-store.ts';
import { redact } from '../../redaction.ts';
import { tellOps } from '../effects.ts';
import type { Flow } from '../flow.ts';

const SAID_ONE_BY_ONE = 5;

/**
 * Policy: what is wrong with the bot's own eyes is said once when it begins and once when it is over; many at once are
 * one message. That a silence is over shows in the numbers.
 */
export async function reportTroubles(
  flow: Pick<Flow, 'log'>,
  tx: Tx,
  found: { fresh: readonly Trouble[]; over: readonly Trouble[]; now: Date },
): Promise<void> {
  const { fresh, now } = found;
  for (const trouble of fresh) flow.log.error(trouble, 'a trouble of our own');
  const over = found.over.filter(({ key }) => !key.startsWith('silent:'));
  const begun = fresh.map(({ key, problem }) => ({ key, text: redact(problem) }));
  const ended = over.map(({ key }) => ({ key: `${key}/over`, text: `Works again: ${redact(key)}.` }));
  for (const { key, text } of [...together(begun), ...together(ended)]) {
    await enqueue(tx, tellOps({ key: `${key}@${now.toISOString()}`, text }, now));
  }
}

function together(said: readonly { key: string; text: string }[]): readonly { key: string; text: string }[] {
  const [first] = said;
  if (first === undefined || said.length <= SAID_ONE_BY_ONE) return said;
  const named = said.slice(0, SAID_ONE_BY_ONE).map(({ text }) => text);
  const more = said.length - SAID_ONE_BY_ONE;
  return [
    { key: first.key, text: [...named, `and ${more} more; \`/llm-incident status\` lists them`].join('\n') },
  ];
}
